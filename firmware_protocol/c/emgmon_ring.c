/* The ring of one stream: the newest samples as they will be sent, and one byte about each of them. */
#include "emgmon_internal.h"

#include <string.h>

/* The byte about a sample is the flags that it gives to its packet. A hole has none of them. */
#define HOLE 0x80u
#define BOUNDARY (EMGMON_GAP_BEFORE | EMGMON_TIME_DISCONTINUITY)
#define SAMPLE_FLAGS (EMGMON_SATURATED | EMGMON_LEAD_OFF)

/* Samples looked at before the producer may interrupt. */
#define LOOKED_AT_ONCE 32u

static uint8_t *marks_of(const emgmon_stream *stream)
{
    return stream->config->ring;
}

static uint8_t *slot_bytes(const emgmon_stream *stream, uint32_t slot)
{
    return stream->config->ring + stream->capacity + (size_t)slot * stream->sample_size;
}

/* Slot of a sample that the ring reaches back to: oldest <= sample < next. */
static uint32_t slot_of(const emgmon_stream *stream, uint64_t sample)
{
    const uint32_t back = (uint32_t)(stream->next - sample);
    return stream->write_slot >= back ? stream->write_slot - back
                                      : stream->write_slot + (stream->capacity - back);
}

static uint32_t slot_after(const emgmon_stream *stream, uint32_t slot)
{
    return slot + 1u == stream->capacity ? 0u : slot + 1u;
}

static uint8_t mark(const emgmon_stream *stream, uint64_t sample)
{
    return marks_of(stream)[slot_of(stream, sample)];
}

void emgmon_ring_reset(emgmon_stream *stream, uint64_t first_sample)
{
    stream->next = first_sample;
    stream->begin = first_sample;
    stream->plain_from = first_sample;
    stream->write_slot = 0;
    stream->gap_before = false;
}

uint64_t emgmon_ring_oldest(const emgmon_stream *stream)
{
    const uint64_t taken = stream->next - stream->begin;
    return taken > stream->capacity ? stream->next - stream->capacity : stream->begin;
}

/* What was overwritten before anyone fetched it is not sent any more. */
void emgmon_ring_overtake(emgmon_stream *stream)
{
    const uint64_t oldest = emgmon_ring_oldest(stream);
    if (stream->cursor < oldest) {
        stream->cursor = oldest;
        stream->overtaken = true;
    }
}

/* The first held sample of a range, or EMGMON_NONE. */
uint64_t emgmon_ring_first_held(const emgmon_stream *stream, uint64_t from, uint64_t end)
{
    bool found = false;
    while (!found && from < end) {
        uint64_t stop, oldest;
        EMGMON_ENTER();
        oldest = emgmon_ring_oldest(stream);
        from = from < oldest ? oldest : from;
        end = emgmon_min_u64(end, stream->next);
        stop = emgmon_min_u64(end, from + LOOKED_AT_ONCE);
        while (from < stop && from < stream->plain_from && (mark(stream, from) & HOLE) != 0) {
            from++;
        }
        found = from < stop;
        EMGMON_LEAVE();
    }
    return found ? from : EMGMON_NONE;
}

/* The number behind the last held sample of a range that begins with a held one. */
uint64_t emgmon_ring_behind_last_held(const emgmon_stream *stream, uint64_t from, uint64_t end)
{
    bool found = false;
    while (!found && end > from) {
        uint64_t stop, oldest;
        EMGMON_ENTER();
        oldest = emgmon_ring_oldest(stream);
        from = from < oldest ? oldest : from; /* overwritten while this looks */
        end = emgmon_min_u64(end, stream->next);
        stop = end > from + LOOKED_AT_ONCE ? end - LOOKED_AT_ONCE : from;
        while (end > stop && end <= stream->plain_from && (mark(stream, end - 1u) & HOLE) != 0) {
            end--;
        }
        found = end > stop;
        EMGMON_LEAVE();
    }
    return end;
}

/* How many samples from a held one on may share one packet, at most `most`. */
uint32_t emgmon_ring_run(const emgmon_stream *stream, uint64_t from, uint32_t most)
{
    uint32_t n = 1;
    if (from >= stream->next || from < emgmon_ring_oldest(stream)) {
        return 0;
    }
    most = (uint32_t)emgmon_min_u64(most, stream->next - from);
    if (from >= stream->plain_from) {
        return most;
    }
    while (n < most && (mark(stream, from + n) & (HOLE | BOUNDARY)) == 0) {
        n++;
    }
    return n;
}

/* Copy held samples; the flags of any of them. */
uint8_t emgmon_ring_copy(const emgmon_stream *stream, uint64_t from, uint32_t n_samples, uint8_t *out)
{
    const uint8_t *marks = marks_of(stream);
    uint32_t slot = slot_of(stream, from);
    const uint32_t to_end = stream->capacity - slot;
    const uint32_t before_wrap = n_samples < to_end ? n_samples : to_end;
    const size_t n_bytes = (size_t)before_wrap * stream->sample_size;
    uint8_t flags = 0;
    uint32_t i;
    memcpy(out, slot_bytes(stream, slot), n_bytes);
    memcpy(out + n_bytes, slot_bytes(stream, 0), (size_t)(n_samples - before_wrap) * stream->sample_size);
    for (i = 0; i < n_samples; i++) {
        flags = (uint8_t)(flags | marks[slot]);
        slot = slot_after(stream, slot);
    }
    return flags;
}

static void put(emgmon_stream *stream, const uint8_t *values, uint8_t flags)
{
    const emgmon_stream_config *config = stream->config;
    const uint32_t slot = stream->write_slot;
    uint8_t marks = flags;
    if (!emgmon_write_values(config->format, values, config->n_channels, slot_bytes(stream, slot))) {
        marks = (uint8_t)(marks | EMGMON_SATURATED);
    }
    if (stream->gap_before) {
        marks = (uint8_t)(marks | EMGMON_GAP_BEFORE);
        stream->gap_before = false;
    }
    if ((marks & BOUNDARY) != 0) {
        stream->plain_from = stream->next;
    }
    marks_of(stream)[slot] = marks;
    stream->write_slot = slot_after(stream, slot);
    stream->next++;
}

static void let_go_of_overwritten(emgmon_sensor *sensor, emgmon_stream *stream)
{
    const uint64_t cursor = stream->cursor;
    if (sensor->streaming) {
        emgmon_ring_overtake(stream);
        emgmon_note_dropped(sensor, stream, cursor, stream->cursor);
    }
}

void emgmon_take(emgmon_sensor *sensor, uint8_t row, const void *values, uint32_t n_samples, uint8_t flags)
{
    emgmon_stream *stream = &sensor->streams[row];
    const size_t width = stream->config->format == EMGMON_INT16 ? sizeof(int16_t) : sizeof(int32_t);
    const uint8_t *source = values;
    uint8_t marks = flags & (SAMPLE_FLAGS | BOUNDARY);
    uint32_t i;
    EMGMON_ENTER();
    if (sensor->sampling) {
        for (i = 0; i < n_samples; i++) {
            put(stream, source, marks);
            source += width * stream->config->n_channels;
            marks = flags & SAMPLE_FLAGS;
        }
        let_go_of_overwritten(sensor, stream);
    }
    EMGMON_LEAVE();
}

/* Mark as many slots as there are, in at most two pieces. */
static void mark_holes(emgmon_stream *stream, uint32_t n_samples)
{
    uint32_t left = n_samples < stream->capacity ? n_samples : stream->capacity;
    while (left > 0) {
        const uint32_t to_end = stream->capacity - stream->write_slot;
        const uint32_t piece = left < to_end ? left : to_end;
        memset(marks_of(stream) + stream->write_slot, HOLE, piece);
        stream->write_slot = piece == to_end ? 0u : stream->write_slot + piece;
        left -= piece;
    }
}

void emgmon_skip(emgmon_sensor *sensor, uint8_t row, uint32_t n_samples)
{
    emgmon_stream *stream = &sensor->streams[row];
    EMGMON_ENTER();
    if (sensor->sampling && n_samples > 0) {
        const uint64_t first = stream->next;
        mark_holes(stream, n_samples);
        stream->next += n_samples;
        stream->plain_from = stream->next;
        stream->gap_before = true;
        let_go_of_overwritten(sensor, stream);
        emgmon_note_dropped(sensor, stream, first, stream->next);
    }
    EMGMON_LEAVE();
}
