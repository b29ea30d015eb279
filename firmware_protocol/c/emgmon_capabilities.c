/* The description of the sensor: checked against the clauses, and written as records. */
#include "emgmon_internal.h"

#include <string.h>

enum { PROTOCOL = 0x01, BOOT_ID = 0x02, NAME = 0x03, RING_MS = 0x04, STREAM = 0x10, CHANNEL = 0x11 };

#define MAX_RATE_UHZ 1000000000000u
#define MAX_DESCRIPTION 0xFFFFu
#define STREAM_BYTES 12u
#define CHANNEL_BYTES 10u

/* Where the next record goes; `full` once something did not fit. */
typedef struct {
    uint8_t *out;
    size_t size;
    size_t length;
    bool full;
} writer;

static uint8_t *record(writer *to, uint8_t type, size_t n_bytes)
{
    uint8_t *value;
    if (to->full || to->size - to->length < n_bytes + 2u) {
        to->full = true;
        return NULL;
    }
    value = to->out + to->length + 2u;
    to->out[to->length] = type;
    to->out[to->length + 1u] = (uint8_t)n_bytes;
    to->length += n_bytes + 2u;
    return value;
}

static void write_u32_record(writer *to, uint8_t type, uint32_t value)
{
    uint8_t *out = record(to, type, 4);
    if (out != NULL) {
        emgmon_put_u32(out, value);
    }
}

static void write_stream(writer *to, const emgmon_stream_config *stream)
{
    uint8_t *out = record(to, STREAM, STREAM_BYTES);
    if (out != NULL) {
        out[0] = stream->number;
        out[1] = stream->kind;
        out[2] = stream->format;
        out[3] = stream->n_channels;
        emgmon_put_u64(out + 4, stream->rate_uhz);
    }
}

static void write_channel(writer *to, uint8_t stream, const emgmon_channel *channel)
{
    const size_t site_bytes = strlen(channel->site);
    uint8_t *out = record(to, CHANNEL, CHANNEL_BYTES + site_bytes);
    if (out != NULL) {
        out[0] = stream;
        out[1] = channel->quantity;
        out[2] = channel->side;
        out[3] = channel->axis;
        out[4] = channel->unit;
        emgmon_put_u32(out + 5, channel->scale_bits);
        out[9] = (uint8_t)site_bytes;
        memcpy(out + CHANNEL_BYTES, channel->site, site_bytes);
    }
}

static void write_head(writer *to, const emgmon_config *config)
{
    const size_t name_bytes = strlen(config->name);
    uint8_t *out = record(to, PROTOCOL, 2);
    if (out != NULL) {
        out[0] = EMGMON_VERSION_MAJOR;
        out[1] = config->version_minor;
    }
    write_u32_record(to, BOOT_ID, config->boot_id);
    out = record(to, NAME, name_bytes);
    if (out != NULL) {
        memcpy(out, config->name, name_bytes);
    }
    write_u32_record(to, RING_MS, config->ring_ms);
}

size_t emgmon_write_description(const emgmon_config *config, uint8_t *out, size_t size)
{
    writer to;
    uint8_t row, channel;
    to.out = out;
    to.size = size < MAX_DESCRIPTION ? size : MAX_DESCRIPTION;
    to.length = 0;
    to.full = false;
    write_head(&to, config);
    for (row = 0; row < config->n_streams; row++) {
        const emgmon_stream_config *stream = &config->streams[row];
        write_stream(&to, stream);
        for (channel = 0; channel < stream->n_channels; channel++) {
            write_channel(&to, stream->number, &stream->channels[channel]);
        }
    }
    return to.full ? 0 : to.length;
}

/* Position of the next CHANNEL record of a stream from `position` on, or n_bytes. */
size_t emgmon_next_channel(const uint8_t *description, size_t n_bytes, size_t position, uint8_t stream)
{
    while (n_bytes - position >= 2u) {
        const size_t length = description[position + 1u];
        if (length > n_bytes - position - 2u) {
            return n_bytes;
        }
        if (description[position] == CHANNEL && length >= CHANNEL_BYTES
            && description[position + 2u] == stream) {
            return position;
        }
        position += 2u + length;
    }
    return n_bytes;
}

uint32_t emgmon_scale_bits(float scale)
{
    uint32_t bits;
    memcpy(&bits, &scale, sizeof bits);
    return bits;
}

static bool is_letter(uint8_t byte)
{
    return byte >= (uint8_t)'a' && byte <= (uint8_t)'z';
}

bool emgmon_site_is_allowed(const uint8_t *site, size_t n_bytes)
{
    size_t i;
    if (n_bytes < 1 || n_bytes > EMGMON_SITE_BYTES || !is_letter(site[0])) {
        return false;
    }
    for (i = 1; i < n_bytes; i++) {
        const bool is_digit = site[i] >= (uint8_t)'0' && site[i] <= (uint8_t)'9';
        if (!is_letter(site[i]) && !is_digit && site[i] != (uint8_t)'_') {
            return false;
        }
    }
    return true;
}

static bool scale_is_allowed(uint32_t bits)
{
    return bits > 0 && bits < 0x7F800000u;
}

static emgmon_fault check_channel(const emgmon_channel *channel, uint8_t kind)
{
    static const uint8_t unit_of[] = {0, EMGMON_MICROVOLT, EMGMON_METRE_PER_S2, EMGMON_RADIAN_PER_S,
                                      EMGMON_MICROVOLT};
    const bool known = channel->quantity >= EMGMON_EMG && channel->quantity <= EMGMON_ENVELOPE;
    const bool is_emg = channel->quantity == EMGMON_EMG || channel->quantity == EMGMON_ENVELOPE;
    if (!known || is_emg != (kind == EMGMON_EMG_STREAM) || channel->unit != unit_of[channel->quantity]) {
        return EMGMON_BAD_CHANNEL;
    }
    if (channel->axis > EMGMON_Z || is_emg != (channel->axis == EMGMON_NO_AXIS)) {
        return EMGMON_BAD_CHANNEL;
    }
    if (channel->side > EMGMON_RIGHT || !scale_is_allowed(channel->scale_bits)) {
        return EMGMON_BAD_CHANNEL;
    }
    return emgmon_site_is_allowed((const uint8_t *)channel->site, strlen(channel->site)) ? EMGMON_FINE
                                                                                         : EMGMON_BAD_SITE;
}

static emgmon_fault check_stream(const emgmon_config *config, uint8_t row)
{
    const emgmon_stream_config *stream = &config->streams[row];
    emgmon_fault fault = EMGMON_FINE;
    uint8_t i;
    for (i = 0; i < row; i++) {
        if (config->streams[i].number == stream->number) {
            return EMGMON_BAD_STREAM;
        }
    }
    if (stream->kind < EMGMON_EMG_STREAM || stream->kind > EMGMON_IMU_STREAM
        || stream->format > EMGMON_FLOAT32 || stream->n_channels == 0 || stream->rate_uhz == 0
        || stream->rate_uhz > MAX_RATE_UHZ) {
        return EMGMON_BAD_STREAM;
    }
    for (i = 0; fault == EMGMON_FINE && i < stream->n_channels; i++) {
        fault = check_channel(&stream->channels[i], stream->kind);
    }
    return fault;
}

emgmon_fault emgmon_check_config(const emgmon_config *config)
{
    const size_t name_bytes = strlen(config->name);
    emgmon_fault fault = EMGMON_FINE;
    uint8_t row;
    if (name_bytes < 1 || name_bytes > 255u) {
        return EMGMON_BAD_NAME;
    }
    if (config->n_streams == 0) {
        return EMGMON_BAD_STREAM;
    }
    if (EMGMON_RESPONSE_HEAD + 11u + 11u * (size_t)config->n_streams > EMGMON_MAX_PAYLOAD) {
        return EMGMON_TOO_MANY_STREAMS;
    }
    for (row = 0; fault == EMGMON_FINE && row < config->n_streams; row++) {
        fault = check_stream(config, row);
    }
    return fault;
}
