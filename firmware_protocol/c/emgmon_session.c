/* START, STOP and RESEND: when streams begin, when they end, and what of them can be sent again. */
#include "emgmon_internal.h"

#define START_HEAD 11u
#define START_PER_STREAM 11u

/* START takes effect at the next sample of the slowest stream, so that all streams begin together. */
static uint64_t next_common_moment(const emgmon_sensor *sensor, uint64_t now_us)
{
    uint64_t slowest = sensor->config->streams[0].rate_uhz;
    uint8_t row;
    for (row = 1; row < sensor->config->n_streams; row++) {
        slowest = emgmon_min_u64(slowest, sensor->config->streams[row].rate_uhz);
    }
    return emgmon_clock_time_us(slowest, emgmon_clock_sample_at(slowest, now_us));
}

/* A ring that filled while nobody was connected is kept: the host will ask for what it missed. */
static void start_stream(const emgmon_sensor *sensor, emgmon_stream *stream, uint64_t first_sample)
{
    EMGMON_ENTER();
    if (!sensor->sampling) {
        emgmon_ring_reset(stream, first_sample);
    }
    stream->cursor = first_sample;
    stream->held_from = first_sample;
    stream->overtaken = false;
    emgmon_ring_overtake(stream);
    EMGMON_LEAVE();
}

/* Payload that carries the answer to START, and one sample of every stream [6.9]. */
static uint16_t needed_payload(const emgmon_sensor *sensor)
{
    const uint32_t answer =
        EMGMON_RESPONSE_HEAD + START_HEAD + START_PER_STREAM * (uint32_t)sensor->config->n_streams;
    uint32_t needed = answer > sensor->config->least_payload ? answer : sensor->config->least_payload;
    uint8_t row;
    for (row = 0; row < sensor->config->n_streams; row++) {
        const uint32_t packet = EMGMON_HEADER_BYTES + (uint32_t)sensor->streams[row].sample_size;
        needed = packet > needed ? packet : needed;
    }
    return (uint16_t)needed;
}

static void begin_streams(emgmon_sensor *sensor, uint64_t start_us, uint8_t *out)
{
    uint8_t row;
    for (row = 0; row < sensor->config->n_streams; row++) {
        emgmon_stream *stream = &sensor->streams[row];
        const uint64_t first = emgmon_clock_sample_at(stream->config->rate_uhz, start_us);
        start_stream(sensor, stream, first);
        out[0] = stream->config->number;
        emgmon_put_u32(out + 1, (uint32_t)(first & 0xFFFFFFFFu));
        emgmon_put_u48(out + 5, emgmon_sample_time_us(sensor, row, first));
        out += START_PER_STREAM;
    }
}

uint8_t emgmon_start(emgmon_sensor *sensor, uint16_t payload_size, bool notifying, uint64_t now_us)
{
    const emgmon_config *config = sensor->config;
    const uint16_t needed = needed_payload(sensor);
    uint8_t *payload = sensor->response + EMGMON_RESPONSE_HEAD;
    uint64_t start_us;
    if (sensor->streaming || !notifying) {
        return EMGMON_WRONG_STATE;
    }
    if (needed > payload_size) {
        emgmon_put_u16(payload, (uint16_t)(needed + EMGMON_ATT_OVERHEAD));
        sensor->response_length = EMGMON_RESPONSE_HEAD + 2u;
        return EMGMON_MTU_TOO_SMALL;
    }
    start_us = next_common_moment(sensor, now_us - config->boot_us);
    begin_streams(sensor, start_us, payload + START_HEAD);
    emgmon_put_u32(payload, config->random_u32(config->user));
    emgmon_put_u48(payload + 4, config->boot_us + start_us);
    payload[10] = config->n_streams;
    sensor->response_length =
        (uint16_t)(EMGMON_RESPONSE_HEAD + START_HEAD + START_PER_STREAM * config->n_streams);
    sensor->starting = true;
    EMGMON_ENTER();
    sensor->streaming = true;
    sensor->sampling = true;
    EMGMON_LEAVE();
    return EMGMON_OK;
}

void emgmon_stop_sending(emgmon_sensor *sensor)
{
    EMGMON_ENTER();
    sensor->streaming = false;
    EMGMON_LEAVE();
    sensor->starting = false;
    sensor->resend.pending = false;
}

static void answer_held(emgmon_sensor *sensor, const uint8_t *asked, uint64_t first, uint64_t count)
{
    uint8_t *payload = sensor->response + EMGMON_RESPONSE_HEAD;
    uint8_t i;
    for (i = 0; i < 9u; i++) {
        payload[i] = asked[i];
    }
    emgmon_put_u32(payload + 9, (uint32_t)(first & 0xFFFFFFFFu));
    emgmon_put_u32(payload + 13, (uint32_t)count);
    sensor->response_length = EMGMON_RESPONSE_HEAD + 17u;
}

/* The range is wholly in the past: find what of it is left, and have it sent. */
static uint8_t hold_range(emgmon_sensor *sensor, uint8_t row, const uint8_t *asked, uint64_t first,
                          uint64_t end)
{
    const emgmon_stream *stream = &sensor->streams[row];
    emgmon_resend *resend = &sensor->resend;
    const uint64_t held = emgmon_ring_first_held(stream, first, end);
    uint64_t held_end;
    if (held == EMGMON_NONE) {
        answer_held(sensor, asked, 0, 0);
        return EMGMON_EXPIRED;
    }
    held_end = emgmon_ring_behind_last_held(stream, held, end);
    resend->row = row;
    resend->next = held;
    resend->end = held_end;
    resend->pending = true;
    answer_held(sensor, asked, held, held_end - held);
    return EMGMON_OK;
}

uint8_t emgmon_resend_range(emgmon_sensor *sensor, const uint8_t *asked)
{
    const emgmon_stream *stream = emgmon_find_stream(sensor, asked[0]);
    const uint32_t n_samples = emgmon_get_u32(asked + 5);
    uint64_t next;
    uint32_t back;
    uint8_t row;
    if (stream == NULL || n_samples == 0) {
        return EMGMON_BAD_PAYLOAD;
    }
    if (!sensor->streaming) {
        return EMGMON_WRONG_STATE;
    }
    row = (uint8_t)(stream - sensor->streams);
    next = emgmon_next_sample(sensor, row);
    back = (uint32_t)(next & 0xFFFFFFFFu) - emgmon_get_u32(asked + 1);
    if (back >= 0x80000000u || n_samples > back) {
        return EMGMON_BAD_PAYLOAD;
    }
    if (emgmon_still_resending(sensor)) {
        answer_held(sensor, asked, 0, 0);
        return EMGMON_BUSY;
    }
    /* Numbers before 0 were never taken. */
    return hold_range(sensor, row, asked, next < back ? 0 : next - back,
                      next < back - n_samples ? 0 : next - (back - n_samples));
}
