/* The bytes of a data packet: its header and its samples, in the order of the wire. */
#include "emgmon_internal.h"

#include <string.h>

#define MAX_SAMPLES_PER_PACKET 255u
#define LARGEST_PAYLOAD 512u /* [2.6] */
#define UHZ_PER_SAMPLE_IN_20_MS 50000000u

#define INT24_END 8388607
#define INT24_BEGIN (-8388608)

#define FLOAT_EXPONENT 0x7F800000u
#define FLOAT_MAGNITUDE 0x7FFFFFFFu
#define FLOAT_MISSING 0x7FC00000u

void emgmon_write_header(const emgmon_header *header, uint8_t *out)
{
    out[0] = (uint8_t)(EMGMON_VERSION_MAJOR << 4 | header->format);
    out[1] = header->stream;
    emgmon_put_u16(out + 2, header->sequence);
    emgmon_put_u32(out + 4, (uint32_t)(header->first_sample & 0xFFFFFFFFu));
    emgmon_put_u48(out + 8, header->time_us);
    out[14] = header->n_samples;
    out[15] = header->flags;
}

static bool write_int16(const uint8_t *in, size_t n_values, uint8_t *out)
{
    size_t i;
    for (i = 0; i < n_values; i++) {
        int16_t value;
        memcpy(&value, in + i * sizeof value, sizeof value);
        emgmon_put_u16(out + 2u * i, (uint16_t)value);
    }
    return true;
}

static bool write_int24(const uint8_t *in, size_t n_values, uint8_t *out)
{
    bool fits = true;
    size_t i;
    for (i = 0; i < n_values; i++) {
        int32_t value;
        memcpy(&value, in + i * sizeof value, sizeof value);
        if (value > INT24_END || value < INT24_BEGIN) {
            value = value > 0 ? INT24_END : INT24_BEGIN;
            fits = false;
        }
        emgmon_put_u16(out + 3u * i, (uint16_t)((uint32_t)value & 0xFFFFu));
        out[3u * i + 2u] = (uint8_t)((uint32_t)value >> 16 & 0xFFu);
    }
    return fits;
}

/* Only the bits are moved: no processor needs a floating-point unit for this. */
static bool write_float32(const uint8_t *in, size_t n_values, uint8_t *out)
{
    bool fits = true;
    size_t i;
    for (i = 0; i < n_values; i++) {
        uint32_t bits;
        memcpy(&bits, in + i * sizeof bits, sizeof bits);
        if ((bits & FLOAT_MAGNITUDE) == FLOAT_EXPONENT) {
            bits = FLOAT_MISSING;
            fits = false;
        }
        emgmon_put_u32(out + 4u * i, bits);
    }
    return fits;
}

bool emgmon_write_values(uint8_t format, const void *values, size_t n_values, uint8_t *out)
{
    switch (format) {
    case EMGMON_INT16: return write_int16(values, n_values, out);
    case EMGMON_INT24: return write_int24(values, n_values, out);
    default: return write_float32(values, n_values, out);
    }
}

/* Samples of a full packet: what fits, and no more than 20 ms, so that a slow stream stays prompt. 0 = none
 * fits. */
uint32_t emgmon_packet_length(const emgmon_stream *stream, uint16_t payload_size)
{
    const uint64_t rounded =
        (stream->config->rate_uhz + UHZ_PER_SAMPLE_IN_20_MS / 2u) / UHZ_PER_SAMPLE_IN_20_MS;
    const uint64_t prompt = emgmon_min_u64(rounded == 0 ? 1u : rounded, MAX_SAMPLES_PER_PACKET);
    if (payload_size < EMGMON_HEADER_BYTES) {
        return 0;
    }
    payload_size = payload_size < LARGEST_PAYLOAD ? payload_size : LARGEST_PAYLOAD;
    return (uint32_t)emgmon_min_u64(prompt, (payload_size - EMGMON_HEADER_BYTES) / stream->sample_size);
}
