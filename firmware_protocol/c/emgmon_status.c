/* Status notifications: what the sensor says without being asked, one thing at a time and not too often. */
#include "emgmon_internal.h"

#include <string.h>

#define PERIOD_US 1000000u
#define STATUS_NOTIFICATION 0xFFu

enum { LEADS = 1, SATURATED = 2, DROPPED = 3, BATTERY = 4 };

static bool may_be_told(bool pending, bool told, uint64_t told_us, uint64_t now_us)
{
    return pending && (!told || now_us - told_us >= PERIOD_US);
}

/* Turns wrap: the earlier of two is the one that the other is less than half of them ahead of. */
static bool is_earlier(uint32_t turn, uint32_t other)
{
    return turn != other && other - turn < 0x80000000u;
}

/* A loss that joins the one that waits extends it. Any other one is not told: DROPPED may name no sample that
 * may still come [6.14], and the host finds out when it asks. */
void emgmon_note_dropped(emgmon_sensor *sensor, emgmon_stream *stream, uint64_t first, uint64_t end)
{
    emgmon_dropped *dropped = &stream->dropped;
    if (!sensor->connected || first == end) {
        return;
    }
    if (!dropped->pending) {
        dropped->pending = true;
        dropped->first = first;
        dropped->end = end;
        dropped->turn = sensor->turns++;
        return;
    }
    if (first <= dropped->end && end >= dropped->first) {
        dropped->first = emgmon_min_u64(dropped->first, first);
        dropped->end = end > dropped->end ? end : dropped->end;
    }
}

void emgmon_forget_status(emgmon_sensor *sensor)
{
    uint8_t i;
    EMGMON_ENTER();
    sensor->connected = false;
    for (i = 0; i < sensor->config->n_streams; i++) {
        sensor->streams[i].dropped.pending = false;
    }
    EMGMON_LEAVE();
    for (i = 0; i < sensor->n_notices; i++) {
        sensor->notices[i].pending = false;
    }
}

static bool is_about(const emgmon_notice *notice, uint8_t kind, uint8_t stream, uint8_t channel)
{
    return notice->kind == kind && notice->stream == stream && notice->channel == channel;
}

/* The place of a topic: its own, or one that was never used. */
static emgmon_notice *place_of(const emgmon_sensor *sensor, uint8_t kind, uint8_t stream, uint8_t channel)
{
    uint8_t i;
    for (i = 0; i < sensor->n_notices; i++) {
        emgmon_notice *notice = &sensor->notices[i];
        if (notice->kind == 0 || is_about(notice, kind, stream, channel)) {
            return notice;
        }
    }
    return NULL;
}

static emgmon_notice *have_told(emgmon_sensor *sensor, uint8_t kind, uint8_t stream, uint8_t channel)
{
    emgmon_notice *notice = sensor->connected ? place_of(sensor, kind, stream, channel) : NULL;
    if (notice == NULL) {
        return NULL;
    }
    notice->kind = kind;
    notice->stream = stream;
    notice->channel = channel;
    if (!notice->pending) {
        EMGMON_ENTER();
        notice->turn = sensor->turns++;
        EMGMON_LEAVE();
    }
    notice->pending = true;
    return notice;
}

void emgmon_lead_changed(emgmon_sensor *sensor, uint8_t row, uint8_t channel, uint8_t contact)
{
    const uint8_t stream = sensor->streams[row].config->number;
    emgmon_notice *notice = have_told(sensor, LEADS, stream, channel);
    if (notice != NULL) {
        notice->payload[0] = stream;
        notice->payload[1] = channel;
        notice->payload[2] = contact;
    }
}

void emgmon_saturated(emgmon_sensor *sensor, uint8_t row, uint8_t channel)
{
    const uint8_t stream = sensor->streams[row].config->number;
    emgmon_notice *notice = have_told(sensor, SATURATED, stream, channel);
    if (notice != NULL) {
        notice->payload[0] = stream;
        notice->payload[1] = channel;
    }
}

void emgmon_battery(emgmon_sensor *sensor, uint8_t percent, uint8_t bits)
{
    emgmon_notice *notice = have_told(sensor, BATTERY, 0, 0);
    if (notice != NULL) {
        notice->payload[0] = percent;
        notice->payload[1] = bits;
    }
}

static size_t write_head(emgmon_sensor *sensor, uint8_t kind, uint8_t *out)
{
    out[0] = STATUS_NOTIFICATION;
    out[1] = sensor->status_count++;
    out[2] = kind;
    return 3;
}

static size_t next_notice(emgmon_sensor *sensor, uint64_t now_us, uint8_t *out)
{
    emgmon_notice *first = NULL;
    size_t n_bytes;
    uint8_t i;
    for (i = 0; i < sensor->n_notices; i++) {
        emgmon_notice *notice = &sensor->notices[i];
        if (may_be_told(notice->pending, notice->told, notice->told_us, now_us)
            && (first == NULL || is_earlier(notice->turn, first->turn))) {
            first = notice;
        }
    }
    if (first == NULL) {
        return 0;
    }
    first->pending = false;
    first->told = true;
    first->told_us = now_us;
    n_bytes = first->kind == LEADS ? 3u : 2u;
    memcpy(out + write_head(sensor, first->kind, out), first->payload, n_bytes);
    return 3u + n_bytes;
}

/* Take the loss that waits longest out of its stream; false = none may be told now. */
static bool next_loss(emgmon_sensor *sensor, uint64_t now_us, emgmon_dropped *loss, uint8_t *stream)
{
    emgmon_dropped *first = NULL;
    uint8_t row;
    EMGMON_ENTER();
    for (row = 0; row < sensor->config->n_streams; row++) {
        emgmon_dropped *dropped = &sensor->streams[row].dropped;
        if (may_be_told(dropped->pending, dropped->told, dropped->told_us, now_us)
            && (first == NULL || is_earlier(dropped->turn, first->turn))) {
            first = dropped;
            *stream = sensor->streams[row].config->number;
        }
    }
    if (first != NULL) {
        first->pending = false;
        first->told = true;
        first->told_us = now_us;
        *loss = *first;
    }
    EMGMON_LEAVE();
    return first != NULL;
}

size_t emgmon_next_status(emgmon_sensor *sensor, uint64_t now_us, uint8_t *out)
{
    size_t n_bytes = next_notice(sensor, now_us, out);
    emgmon_dropped loss;
    uint8_t stream;
    if (n_bytes == 0 && next_loss(sensor, now_us, &loss, &stream)) {
        uint8_t *payload = out + write_head(sensor, DROPPED, out);
        payload[0] = stream;
        emgmon_put_u32(payload + 1, (uint32_t)(loss.first & 0xFFFFFFFFu));
        emgmon_put_u32(payload + 5, (uint32_t)emgmon_min_u64(loss.end - loss.first, UINT32_MAX));
        n_bytes = 12;
    }
    return n_bytes;
}
