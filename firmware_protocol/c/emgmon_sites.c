/* SET SITES: where the channels are worn, written into the description; all entries or none. */
#include "emgmon_internal.h"

#include <string.h>

#define ALL_CHANNELS 0xFFu
#define SIDE_AT 4u /* in a CHANNEL record, from its type on */
#define SITE_LENGTH_AT 11u
#define SITE_AT 12u

/* One entry of the payload [6.11]. */
typedef struct {
    uint8_t channel;
    uint8_t side;
    uint8_t site_bytes;
    const uint8_t *site;
} entry;

static bool read_entry(const uint8_t *payload, size_t n_bytes, size_t *position, entry *out)
{
    const uint8_t *bytes = payload + *position;
    const size_t left = n_bytes - *position;
    if (left < 3u || left - 3u < bytes[2]) {
        return false;
    }
    out->channel = bytes[0];
    out->side = bytes[1];
    out->site_bytes = bytes[2];
    out->site = bytes + 3;
    *position += 3u + (size_t)bytes[2];
    return true;
}

bool emgmon_sites_are_allowed(const emgmon_sensor *sensor, const uint8_t *payload, size_t n_bytes)
{
    const emgmon_stream *stream = n_bytes >= 2u ? emgmon_find_stream(sensor, payload[0]) : NULL;
    size_t position = 2;
    uint8_t i;
    if (stream == NULL || payload[1] == 0) {
        return false;
    }
    for (i = 0; i < payload[1]; i++) {
        entry one;
        if (!read_entry(payload, n_bytes, &position, &one)) {
            return false;
        }
        if (one.side > EMGMON_RIGHT || !emgmon_site_is_allowed(one.site, one.site_bytes)) {
            return false;
        }
        if (one.channel != ALL_CHANNELS && one.channel >= stream->config->n_channels) {
            return false;
        }
    }
    return position == n_bytes;
}

/* Make room in the CHANNEL record at `position` for a site of another length, and write it there. */
static void write_site(emgmon_sensor *sensor, size_t position, const entry *one)
{
    uint8_t *at = sensor->config->description + position;
    const uint8_t old_bytes = at[SITE_LENGTH_AT];
    const size_t behind = position + SITE_AT + old_bytes;
    memmove(at + SITE_AT + one->site_bytes, at + SITE_AT + old_bytes, sensor->description_length - behind);
    sensor->description_length = sensor->description_length - old_bytes + one->site_bytes;
    at[1] = (uint8_t)(SITE_AT - 2u + one->site_bytes);
    at[SIDE_AT] = one->side;
    at[SITE_LENGTH_AT] = one->site_bytes;
    memcpy(at + SITE_AT, one->site, one->site_bytes);
}

static void set_site(emgmon_sensor *sensor, uint8_t stream, const entry *one)
{
    uint8_t *description = sensor->config->description;
    size_t position = emgmon_next_channel(description, sensor->description_length, 0, stream);
    unsigned row = 0;
    while (position < sensor->description_length) {
        if (one->channel == ALL_CHANNELS || one->channel == row) {
            write_site(sensor, position, one);
        }
        row++;
        position += 2u + (size_t)description[position + 1u];
        position = emgmon_next_channel(description, sensor->description_length, position, stream);
    }
}

/* The payload was found to be allowed. */
void emgmon_set_sites(emgmon_sensor *sensor, const uint8_t *payload)
{
    size_t position = 2;
    uint8_t i;
    for (i = 0; i < payload[1]; i++) {
        entry one;
        /* The end was checked before; only the entry itself has to be inside. */
        (void)read_entry(payload, SIZE_MAX, &position, &one);
        set_site(sensor, payload[0], &one);
    }
}

/* Read the site of the CHANNEL record at `position`; false when 7.9 or 7.10 do not allow it. */
static bool read_channel_site(const uint8_t *description, size_t position, entry *out)
{
    const uint8_t *at = description + position;
    out->side = at[SIDE_AT];
    out->site_bytes = at[SITE_LENGTH_AT];
    out->site = at + SITE_AT;
    return out->site_bytes <= at[1] - (SITE_AT - 2u) && out->side <= EMGMON_RIGHT
           && emgmon_site_is_allowed(out->site, out->site_bytes);
}

/* Go through the channels of one stream as they were stored: check them, or take their sites over. */
static bool restore_stream(emgmon_sensor *sensor, const emgmon_stream_config *stream, const uint8_t *stored,
                           size_t n_bytes, bool take_over)
{
    size_t position = emgmon_next_channel(stored, n_bytes, 0, stream->number);
    uint8_t row;
    for (row = 0; row < stream->n_channels; row++) {
        entry one;
        if (position >= n_bytes || !read_channel_site(stored, position, &one)) {
            return false;
        }
        one.channel = row;
        if (take_over) {
            set_site(sensor, stream->number, &one);
        }
        position += 2u + (size_t)stored[position + 1u];
        position = emgmon_next_channel(stored, n_bytes, position, stream->number);
    }
    return position >= n_bytes;
}

bool emgmon_restore_sites(emgmon_sensor *sensor, const uint8_t *description, size_t n_bytes)
{
    const emgmon_config *config = sensor->config;
    bool allowed = config->store_sites != NULL;
    uint8_t row;
    for (row = 0; row < config->n_streams; row++) {
        allowed = allowed && restore_stream(sensor, &config->streams[row], description, n_bytes, false);
    }
    for (row = 0; allowed && row < config->n_streams; row++) {
        (void)restore_stream(sensor, &config->streams[row], description, n_bytes, true);
    }
    return allowed;
}
