/* Turns a description into the configuration that firmware would have written down, with memory from the
 * heap. */
#include "emgmon_host.h"

#include "../emgmon_internal.h"

#include <stdlib.h>
#include <string.h>

#define CHANNELS 255u
#define LEAST_CAPACITY 255u /* even a sensor without a ring has somewhere to put its next packet */
#define NOTICES 255u

typedef struct {
    emgmon_channel channels[CHANNELS];
    char sites[CHANNELS][EMGMON_SITE_BYTES + 1u];
    emgmon_lead leads[CHANNELS];
} channel_rows;

struct emgmon_host {
    emgmon_sensor sensor;
    emgmon_config config;
    emgmon_stream streams[CHANNELS];
    emgmon_stream_config stream_configs[CHANNELS];
    channel_rows *rows[CHANNELS];
    emgmon_notice notices[NOTICES];
    char name[256];
    uint8_t description[0x10000];
    int identified;
};

static void store_sites(void *user, const uint8_t *description, size_t n_bytes)
{
    (void)user;
    (void)description;
    (void)n_bytes;
}

static void identify(void *user, uint8_t seconds)
{
    emgmon_host *host = user;
    host->identified = seconds;
}

static bool lead_check(void *user, uint8_t row, uint8_t channel, emgmon_lead *lead)
{
    const emgmon_host *host = user;
    *lead = host->rows[row]->leads[channel];
    return true;
}

static uint64_t get_u64(const uint8_t *in)
{
    return emgmon_get_u32(in) | (uint64_t)emgmon_get_u32(in + 4) << 32;
}

static bool read_channel(channel_rows *rows, uint8_t channel, const uint8_t *value, size_t n_bytes)
{
    emgmon_channel *out = &rows->channels[channel];
    const size_t site_bytes = value[9];
    if (site_bytes > n_bytes - 10u || site_bytes > EMGMON_SITE_BYTES) {
        return false;
    }
    out->quantity = value[1];
    out->side = value[2];
    out->axis = value[3];
    out->unit = value[4];
    out->scale_bits = emgmon_get_u32(value + 5);
    memcpy(rows->sites[channel], value + 10, site_bytes);
    out->site = rows->sites[channel];
    rows->leads[channel].contact = EMGMON_CONTACT_UNKNOWN;
    rows->leads[channel].impedance_kohm = EMGMON_NO_IMPEDANCE;
    return true;
}

static bool read_channels(emgmon_stream_config *stream, channel_rows *rows, const uint8_t *description,
                          size_t n_bytes)
{
    size_t position = 0;
    uint8_t channel;
    for (channel = 0; channel < stream->n_channels; channel++) {
        position = emgmon_next_channel(description, n_bytes, position, stream->number);
        if (position == n_bytes
            || !read_channel(rows, channel, description + position + 2, description[position + 1])) {
            return false;
        }
        position += 2u + (size_t)description[position + 1];
    }
    stream->channels = rows->channels;
    return true;
}

static bool give_ring(emgmon_stream_config *stream, uint32_t ring_ms)
{
    const uint64_t asked = emgmon_clock_capacity(stream->rate_uhz, ring_ms);
    const size_t width = stream->format + 2u;
    size_t capacity;
    if (asked > UINT32_MAX) {
        return false;
    }
    capacity = asked < LEAST_CAPACITY ? LEAST_CAPACITY : (size_t)asked;
    stream->ring_bytes = EMGMON_RING_BYTES(capacity, stream->n_channels, width);
    stream->ring = malloc(stream->ring_bytes);
    return stream->ring != NULL;
}

static bool read_stream(emgmon_host *host, const uint8_t *value, const uint8_t *description, size_t n_bytes)
{
    const uint8_t row = host->config.n_streams;
    emgmon_stream_config *stream = &host->stream_configs[row];
    stream->number = value[0];
    stream->kind = value[1];
    stream->format = value[2];
    stream->n_channels = value[3];
    stream->rate_uhz = get_u64(value + 4);
    host->rows[row] = calloc(1, sizeof *host->rows[row]);
    if (host->rows[row] == NULL || stream->rate_uhz == 0
        || !read_channels(stream, host->rows[row], description, n_bytes)) {
        return false;
    }
    host->config.n_streams++;
    return give_ring(stream, host->config.ring_ms);
}

static bool read_record(emgmon_host *host, const uint8_t *record, const uint8_t *description, size_t n_bytes)
{
    const uint8_t *value = record + 2;
    const size_t length = record[1];
    switch (record[0]) {
    case 0x01: host->config.version_minor = length > 1 ? value[1] : 0; return length > 1;
    case 0x02: host->config.boot_id = length >= 4 ? emgmon_get_u32(value) : 0; return length >= 4;
    case 0x03: memcpy(host->name, value, length); return true;
    case 0x04: host->config.ring_ms = length >= 4 ? emgmon_get_u32(value) : 0; return length >= 4;
    case 0x10:
        return length >= 12 && host->config.n_streams < CHANNELS
               && read_stream(host, value, description, n_bytes);
    default: return true;
    }
}

static bool read_description(emgmon_host *host, const uint8_t *description, size_t n_bytes)
{
    size_t position = 0;
    while (position < n_bytes) {
        if (n_bytes - position < 2 || n_bytes - position - 2 < description[position + 1]) {
            return false;
        }
        if (!read_record(host, description + position, description, n_bytes)) {
            return false;
        }
        position += 2u + (size_t)description[position + 1];
    }
    return true;
}

static emgmon_fault begin(emgmon_host *host)
{
    emgmon_config *config = &host->config;
    emgmon_fault fault;
    config->name = host->name;
    config->streams = host->stream_configs;
    config->description = host->description;
    config->description_bytes = sizeof host->description;
    config->user = host;
    config->store_sites = store_sites;
    config->identify = identify;
    config->lead_check = lead_check;
    fault = emgmon_init(&host->sensor, config, host->streams, host->notices, NOTICES);
    if (fault == EMGMON_DESCRIPTION_TOO_SMALL) {
        /* So many channels that the longest sites would not fit: they stay where they are. */
        config->store_sites = NULL;
        fault = emgmon_init(&host->sensor, config, host->streams, host->notices, NOTICES);
    }
    return fault;
}

emgmon_host *emgmon_host_new(const uint8_t *description, size_t n_bytes, uint64_t boot_us,
                             uint32_t (*random_u32)(void *user))
{
    emgmon_host *host = calloc(1, sizeof *host);
    if (host == NULL) {
        return NULL;
    }
    host->config.boot_us = boot_us;
    host->config.random_u32 = random_u32;
    host->identified = -1;
    if (!read_description(host, description, n_bytes) || begin(host) != EMGMON_FINE) {
        emgmon_host_free(host);
        return NULL;
    }
    return host;
}

void emgmon_host_free(emgmon_host *host)
{
    size_t row;
    for (row = 0; row < CHANNELS; row++) {
        free(host->stream_configs[row].ring);
        free(host->rows[row]);
    }
    free(host);
}

emgmon_sensor *emgmon_host_sensor(emgmon_host *host)
{
    return &host->sensor;
}

void emgmon_host_set_lead(emgmon_host *host, uint8_t row, uint8_t channel, uint8_t contact,
                          uint16_t impedance_kohm)
{
    host->rows[row]->leads[channel].contact = contact;
    host->rows[row]->leads[channel].impedance_kohm = impedance_kohm;
}

int emgmon_host_identified(const emgmon_host *host)
{
    return host->identified;
}
