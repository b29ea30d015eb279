/* What the files of the library share and nobody else includes: bytes, rings, notices. */
#ifndef EMGMON_INTERNAL_H
#define EMGMON_INTERNAL_H

#include "emgmon_sensor.h"

#ifdef EMGMON_PORT_HEADER
#include EMGMON_PORT_HEADER
#endif
#ifndef EMGMON_ENTER
#define EMGMON_ENTER() ((void)0)
#define EMGMON_LEAVE() ((void)0)
#endif

/* Numbers are written byte by byte: no order of bytes and no alignment of the processor matters. */
static inline void emgmon_put_u16(uint8_t *out, uint16_t value)
{
    out[0] = (uint8_t)(value & 0xFFu);
    out[1] = (uint8_t)(value >> 8);
}

static inline void emgmon_put_u32(uint8_t *out, uint32_t value)
{
    emgmon_put_u16(out, (uint16_t)(value & 0xFFFFu));
    emgmon_put_u16(out + 2, (uint16_t)(value >> 16));
}

static inline void emgmon_put_u48(uint8_t *out, uint64_t value)
{
    emgmon_put_u32(out, (uint32_t)(value & 0xFFFFFFFFu));
    emgmon_put_u16(out + 4, (uint16_t)((value >> 32) & 0xFFFFu));
}

static inline void emgmon_put_u64(uint8_t *out, uint64_t value)
{
    emgmon_put_u32(out, (uint32_t)(value & 0xFFFFFFFFu));
    emgmon_put_u32(out + 4, (uint32_t)(value >> 32));
}

static inline uint16_t emgmon_get_u16(const uint8_t *in)
{
    return (uint16_t)((uint32_t)in[0] | (uint32_t)in[1] << 8);
}

static inline uint32_t emgmon_get_u32(const uint8_t *in)
{
    return (uint32_t)emgmon_get_u16(in) | (uint32_t)emgmon_get_u16(in + 2) << 16;
}

/* Statuses and opcodes of the control point [6.3, 6.4]. */
enum {
    EMGMON_OK = 0,
    EMGMON_UNKNOWN_OPCODE = 1,
    EMGMON_BAD_PAYLOAD = 2,
    EMGMON_WRONG_STATE = 3,
    EMGMON_MTU_TOO_SMALL = 4,
    EMGMON_EXPIRED = 5,
    EMGMON_BUSY = 6,
    EMGMON_NOT_SUPPORTED = 7
};

/* Stands for no sample. */
#define EMGMON_NONE UINT64_MAX

/* Bytes before the payload of a response, and what ATT puts before the response. */
#define EMGMON_RESPONSE_HEAD 3u
#define EMGMON_ATT_OVERHEAD 3u

static inline uint64_t emgmon_min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint8_t emgmon_width(uint8_t format)
{
    return (uint8_t)(format + 2u);
}

/* emgmon_clock.c */
uint64_t emgmon_clock_time_us(uint64_t rate_uhz, uint64_t sample);
uint64_t emgmon_clock_sample_at(uint64_t rate_uhz, uint64_t time_us);
uint64_t emgmon_clock_capacity(uint64_t rate_uhz, uint32_t ring_ms);

/* emgmon_ring.c: those marked + lock for themselves, the others want EMGMON_ENTER() around them. */
void emgmon_ring_reset(emgmon_stream *stream, uint64_t first_sample);
uint64_t emgmon_ring_oldest(const emgmon_stream *stream);
void emgmon_ring_overtake(emgmon_stream *stream);
uint64_t emgmon_ring_first_held(const emgmon_stream *stream, uint64_t from, uint64_t end);       /* + */
uint64_t emgmon_ring_behind_last_held(const emgmon_stream *stream, uint64_t from, uint64_t end); /* + */
uint32_t emgmon_ring_run(const emgmon_stream *stream, uint64_t from, uint32_t most);
uint8_t emgmon_ring_copy(const emgmon_stream *stream, uint64_t from, uint32_t n_samples, uint8_t *out);

/* emgmon_packet.c */
uint32_t emgmon_packet_length(const emgmon_stream *stream, uint16_t payload_size);

/* emgmon_status.c; the first one wants EMGMON_ENTER() around it. */
void emgmon_note_dropped(emgmon_sensor *sensor, emgmon_stream *stream, uint64_t first, uint64_t end);
void emgmon_forget_status(emgmon_sensor *sensor);
size_t emgmon_next_status(emgmon_sensor *sensor, uint64_t now_us, uint8_t *out);

/* emgmon_sensor.c */
emgmon_stream *emgmon_find_stream(const emgmon_sensor *sensor, uint8_t number);
bool emgmon_still_resending(emgmon_sensor *sensor);

/* emgmon_session.c: each the status of the response, with its payload behind the head of it. */
uint8_t emgmon_start(emgmon_sensor *sensor, uint16_t payload_size, bool notifying, uint64_t now_us);
void emgmon_stop_sending(emgmon_sensor *sensor);
uint8_t emgmon_resend_range(emgmon_sensor *sensor, const uint8_t *payload);

/* emgmon_capabilities.c */
bool emgmon_site_is_allowed(const uint8_t *site, size_t n_bytes);
emgmon_fault emgmon_check_config(const emgmon_config *config);
size_t emgmon_next_channel(const uint8_t *description, size_t n_bytes, size_t position, uint8_t stream);

/* emgmon_sites.c */
bool emgmon_sites_are_allowed(const emgmon_sensor *sensor, const uint8_t *payload, size_t n_bytes);
void emgmon_set_sites(emgmon_sensor *sensor, const uint8_t *payload);

#endif
