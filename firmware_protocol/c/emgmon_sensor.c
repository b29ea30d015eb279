/* The sensor as a whole: set up, connected and not, and which packet leaves next. */
#include "emgmon_internal.h"

#include <string.h>

/* A packet about to be written. */
typedef struct {
    emgmon_stream *stream;
    uint64_t first;
    uint32_t n_samples;
    uint64_t taken_us; /* when its last sample was taken */
} cut;

static const uint8_t widths[] = {2, 3, 4};

static emgmon_fault set_up_stream(emgmon_stream *stream, const emgmon_stream_config *config, uint32_t ring_ms)
{
    uint64_t capacity;
    memset(stream, 0, sizeof *stream);
    stream->config = config;
    stream->sample_size = (uint16_t)(config->n_channels * widths[config->format]);
    capacity = emgmon_min_u64(config->ring_bytes / (stream->sample_size + 1u), UINT32_MAX);
    stream->capacity = (uint32_t)capacity;
    if (capacity == 0 || capacity < emgmon_clock_capacity(config->rate_uhz, ring_ms)) {
        return EMGMON_RING_TOO_SMALL;
    }
    emgmon_ring_reset(stream, 0);
    return EMGMON_FINE;
}

/* SET SITES must never fail for want of memory: then the description has room for the longest sites. */
static emgmon_fault set_up_description(emgmon_sensor *sensor)
{
    const emgmon_config *config = sensor->config;
    size_t longest = 18u + strlen(config->name);
    uint8_t row;
    for (row = 0; row < config->n_streams; row++) {
        longest += 14u + (12u + EMGMON_SITE_BYTES) * (size_t)config->streams[row].n_channels;
    }
    if (config->store_sites != NULL && (longest > config->description_bytes || longest > 0xFFFFu)) {
        return EMGMON_DESCRIPTION_TOO_SMALL;
    }
    sensor->description_length =
        emgmon_write_description(config, config->description, config->description_bytes);
    return sensor->description_length == 0 ? EMGMON_DESCRIPTION_TOO_SMALL : EMGMON_FINE;
}

emgmon_fault emgmon_init(emgmon_sensor *sensor, const emgmon_config *config, emgmon_stream *streams,
                         emgmon_notice *notices, uint8_t n_notices)
{
    emgmon_fault fault = emgmon_check_config(config);
    uint8_t row;
    memset(sensor, 0, sizeof *sensor);
    sensor->config = config;
    sensor->streams = streams;
    sensor->notices = notices;
    sensor->n_notices = n_notices;
    if (n_notices > 0) {
        memset(notices, 0, n_notices * sizeof *notices);
    }
    for (row = 0; fault == EMGMON_FINE && row < config->n_streams; row++) {
        fault = set_up_stream(&streams[row], &config->streams[row], config->ring_ms);
    }
    return fault == EMGMON_FINE ? set_up_description(sensor) : fault;
}

emgmon_stream *emgmon_find_stream(const emgmon_sensor *sensor, uint8_t number)
{
    uint8_t row;
    for (row = 0; row < sensor->config->n_streams; row++) {
        if (sensor->streams[row].config->number == number) {
            return &sensor->streams[row];
        }
    }
    return NULL;
}

const uint8_t *emgmon_description(const emgmon_sensor *sensor, size_t *n_bytes)
{
    *n_bytes = sensor->description_length;
    return sensor->config->description;
}

bool emgmon_is_sampling(const emgmon_sensor *sensor)
{
    bool sampling;
    EMGMON_ENTER();
    sampling = sensor->sampling;
    EMGMON_LEAVE();
    return sampling;
}

bool emgmon_is_streaming(const emgmon_sensor *sensor)
{
    return sensor->streaming;
}

uint64_t emgmon_next_sample(const emgmon_sensor *sensor, uint8_t row)
{
    uint64_t next;
    EMGMON_ENTER();
    next = sensor->streams[row].next;
    EMGMON_LEAVE();
    return next;
}

uint64_t emgmon_sample_time_us(const emgmon_sensor *sensor, uint8_t row, uint64_t sample)
{
    return sensor->config->boot_us + emgmon_clock_time_us(sensor->streams[row].config->rate_uhz, sample);
}

void emgmon_connected(emgmon_sensor *sensor)
{
    EMGMON_ENTER();
    sensor->connected = true;
    EMGMON_LEAVE();
}

void emgmon_disconnected(emgmon_sensor *sensor)
{
    emgmon_stop_sending(sensor);
    sensor->unconfirmed = false;
    sensor->response_length = 0;
    emgmon_forget_status(sensor);
}

void emgmon_notifications_off(emgmon_sensor *sensor)
{
    emgmon_stop_sending(sensor);
}

void emgmon_end_sampling(emgmon_sensor *sensor)
{
    EMGMON_ENTER();
    if (!sensor->streaming) {
        sensor->sampling = false;
    }
    EMGMON_LEAVE();
}

/* Where to look for the next sample to be sent, and where the samples end; whether there are any between. */
static bool waiting_range(const emgmon_stream *stream, uint64_t *from, uint64_t *end)
{
    EMGMON_ENTER();
    *from = stream->cursor;
    *end = stream->next;
    EMGMON_LEAVE();
    /* The cursor stays before a hole until something behind it is sent; looking there twice is not needed. */
    *from = *from > stream->held_from ? *from : stream->held_from;
    return *from < *end;
}

/* The next packet of a stream for the first time, if it is complete: full, or nothing can join it any more.
 */
static bool live_cut(const emgmon_sensor *sensor, emgmon_stream *stream, uint32_t length, cut *found)
{
    uint64_t from, end;
    bool complete;
    if (length == 0 || !waiting_range(stream, &from, &end)) {
        return false;
    }
    found->stream = stream;
    found->first = emgmon_ring_first_held(stream, from, end);
    if (found->first == EMGMON_NONE) {
        stream->held_from = end;
        return false;
    }
    stream->held_from = found->first;
    EMGMON_ENTER();
    found->n_samples = emgmon_ring_run(stream, found->first, length);
    complete = found->n_samples == length
               || (found->n_samples > 0 && found->first + found->n_samples < stream->next);
    EMGMON_LEAVE();
    if (complete) {
        found->taken_us = emgmon_sample_time_us(sensor, (uint8_t)(stream - sensor->streams),
                                                found->first + found->n_samples - 1u);
    }
    return complete;
}

/* The complete packet whose last sample was taken first. */
static bool next_live_cut(const emgmon_sensor *sensor, uint16_t payload_size, cut *best)
{
    bool any = false;
    uint8_t row;
    for (row = 0; row < sensor->config->n_streams; row++) {
        emgmon_stream *stream = &sensor->streams[row];
        cut found;
        if (live_cut(sensor, stream, emgmon_packet_length(stream, payload_size), &found)
            && (!any || found.taken_us < best->taken_us)) {
            *best = found;
            any = true;
        }
    }
    return any;
}

/* Whether something of the range is left to be sent again; forgets it otherwise. */
bool emgmon_still_resending(emgmon_sensor *sensor)
{
    emgmon_resend *resend = &sensor->resend;
    if (resend->pending) {
        const uint64_t held =
            emgmon_ring_first_held(&sensor->streams[resend->row], resend->next, resend->end);
        resend->pending = held != EMGMON_NONE;
        resend->next = held;
    }
    return resend->pending;
}

static bool next_resent_cut(emgmon_sensor *sensor, uint16_t payload_size, cut *found)
{
    const emgmon_resend *resend = &sensor->resend;
    uint32_t length;
    /* What was asked for comes after the response [8.4]. */
    if (sensor->response_length != 0 || !emgmon_still_resending(sensor)) {
        return false;
    }
    found->stream = &sensor->streams[resend->row];
    found->first = resend->next;
    length = emgmon_packet_length(found->stream, payload_size);
    length = (uint32_t)emgmon_min_u64(length, resend->end - resend->next);
    EMGMON_ENTER();
    found->n_samples = length == 0 ? 0 : emgmon_ring_run(found->stream, found->first, length);
    EMGMON_LEAVE();
    return found->n_samples > 0;
}

/* Write the packet, unless the producer has overwritten its samples since it was cut: then 0. */
static size_t write_packet(emgmon_sensor *sensor, const cut *packet, bool again, uint8_t *out)
{
    emgmon_stream *stream = packet->stream;
    emgmon_header header;
    bool held;
    header.format = stream->config->format;
    header.stream = stream->config->number;
    header.sequence = stream->sequence;
    header.first_sample = packet->first;
    header.n_samples = (uint8_t)packet->n_samples;
    header.time_us = emgmon_sample_time_us(sensor, (uint8_t)(stream - sensor->streams), packet->first);
    header.flags = again ? EMGMON_RETRANSMITTED : 0;
    EMGMON_ENTER();
    held = packet->first >= emgmon_ring_oldest(stream);
    if (held) {
        header.flags |= emgmon_ring_copy(stream, packet->first, packet->n_samples, out + EMGMON_HEADER_BYTES);
    }
    if (held && !again) {
        header.flags = (uint8_t)(header.flags | (stream->overtaken ? EMGMON_GAP_BEFORE : 0));
        stream->overtaken = false;
        stream->cursor = packet->first + packet->n_samples;
    }
    EMGMON_LEAVE();
    if (!held) {
        return 0;
    }
    stream->sequence++;
    emgmon_write_header(&header, out);
    return EMGMON_HEADER_BYTES + (size_t)packet->n_samples * stream->sample_size;
}

size_t emgmon_next_packet(emgmon_sensor *sensor, uint16_t payload_size, uint8_t *out)
{
    cut packet;
    size_t n_bytes;
    if (!sensor->streaming || sensor->starting) {
        return 0;
    }
    if (next_live_cut(sensor, payload_size, &packet)) {
        return write_packet(sensor, &packet, false, out);
    }
    if (!next_resent_cut(sensor, payload_size, &packet)) {
        return 0;
    }
    n_bytes = write_packet(sensor, &packet, true, out);
    sensor->resend.next += n_bytes > 0 ? packet.n_samples : 0u;
    return n_bytes;
}
