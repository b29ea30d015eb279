/* The sensor's side of the emgmon protocol, version 1.1: one header, no allocation, no floating point.
 *
 * Numbers in brackets are clauses of SPEC.md. README.md shows the calls in their place.
 *
 * Contexts. One producer calls emgmon_take() and emgmon_skip(), also from an interrupt. One consumer (the
 * thread that talks to the radio) calls everything else. What both touch lies between EMGMON_ENTER() and
 * EMGMON_LEAVE(), which a port header has to define when the two can interrupt each other; see README.md,
 * "Two contexts".
 */
#ifndef EMGMON_SENSOR_H
#define EMGMON_SENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EMGMON_VERSION_MAJOR 1u
#define EMGMON_VERSION_MINOR 1u
#define EMGMON_HEADER_BYTES 16u
#define EMGMON_SITE_BYTES 31u

/* The largest payload (ATT_MTU - 3) that this sensor makes use of; the same for all files of a build. */
#ifndef EMGMON_MAX_PAYLOAD
#define EMGMON_MAX_PAYLOAD 244u
#endif

/* Bytes of the ring of one stream: every sample of `width` bytes per channel, and one byte about it. */
#define EMGMON_RING_BYTES(n_samples, n_channels, width) ((n_samples) * ((n_channels) * (width) + 1u))

/* Bytes of the description with the longest sites; a sensor without SET SITES may give fewer. */
#define EMGMON_DESCRIPTION_BYTES(name_bytes, n_streams, n_channels)                                          \
    (18u + (name_bytes) + 14u * (n_streams) + (12u + EMGMON_SITE_BYTES) * (n_channels))

/* Kind of a stream [7.8]. */
enum { EMGMON_EMG_STREAM = 1, EMGMON_IMU_STREAM = 2 };
/* Format of its samples [4.2]. */
enum { EMGMON_INT16 = 0, EMGMON_INT24 = 1, EMGMON_FLOAT32 = 2 };
/* Quantity, side, axis and unit of a channel [7.9]. */
enum { EMGMON_EMG = 1, EMGMON_ACCELERATION = 2, EMGMON_ANGULAR_RATE = 3, EMGMON_ENVELOPE = 4 };
enum { EMGMON_NO_SIDE = 0, EMGMON_LEFT = 1, EMGMON_RIGHT = 2 };
enum { EMGMON_NO_AXIS = 0, EMGMON_X = 1, EMGMON_Y = 2, EMGMON_Z = 3 };
enum { EMGMON_MICROVOLT = 1, EMGMON_METRE_PER_S2 = 2, EMGMON_RADIAN_PER_S = 3 };
/* Flags of samples and packets [4.8]. */
enum {
    EMGMON_RETRANSMITTED = 1,
    EMGMON_GAP_BEFORE = 2,
    EMGMON_SATURATED = 4,
    EMGMON_LEAD_OFF = 8,
    EMGMON_TIME_DISCONTINUITY = 16
};
/* Contact of an electrode [6.13]. */
enum { EMGMON_CONTACT_UNKNOWN = 0, EMGMON_CONTACT_GOOD = 1, EMGMON_CONTACT_POOR = 2, EMGMON_CONTACT_OFF = 3 };
/* Bits of BATTERY [6.14]. */
enum { EMGMON_CHARGING = 1, EMGMON_BATTERY_LOW = 2, EMGMON_SWITCHING_OFF = 4 };

#define EMGMON_NO_IMPEDANCE 0xFFFFu

/* What emgmon_init() finds wrong. */
typedef enum {
    EMGMON_FINE = 0,
    EMGMON_BAD_NAME,             /* not 1 to 255 bytes [7.6] */
    EMGMON_BAD_STREAM,           /* no stream, a number twice, or a value that 7.8 does not allow */
    EMGMON_BAD_CHANNEL,          /* a value that 7.9 does not allow, or that does not suit its stream */
    EMGMON_BAD_SITE,             /* [7.10] */
    EMGMON_TOO_MANY_STREAMS,     /* the response to START would exceed EMGMON_MAX_PAYLOAD */
    EMGMON_RING_TOO_SMALL,       /* a ring holds less than ring_ms [8.1], or not one sample */
    EMGMON_DESCRIPTION_TOO_SMALL /* see EMGMON_DESCRIPTION_BYTES; also beyond 65,535 bytes [7.1] */
} emgmon_fault;

/* One channel; may lie in flash. */
typedef struct {
    uint8_t quantity;
    uint8_t side;
    uint8_t axis;
    uint8_t unit;
    uint32_t scale_bits; /* binary32 bits of the physical value of one count: emgmon_scale_bits(0.25f) */
    const char *site;    /* "gluteus_maximus" [7.10] */
} emgmon_channel;

/* One sample clock with its channels; may lie in flash, except for its ring. */
typedef struct {
    uint8_t number;
    uint8_t kind;
    uint8_t format;
    uint8_t n_channels;
    uint64_t rate_uhz; /* microhertz: 1 kHz is 1000000000 */
    const emgmon_channel *channels;
    uint8_t *ring;
    size_t ring_bytes; /* EMGMON_RING_BYTES(...) */
} emgmon_stream_config;

/* How the electrodes of a channel touch the skin [6.13]. */
typedef struct {
    uint8_t contact;
    uint16_t impedance_kohm; /* or EMGMON_NO_IMPEDANCE */
} emgmon_lead;

/* What the sensor is, and what it asks of the board; may lie in flash. `user` is handed to every call. */
typedef struct {
    uint8_t version_minor; /* EMGMON_VERSION_MINOR */
    const char *name;
    uint32_t boot_id; /* drawn at random at power-up [7.5] */
    uint32_t ring_ms; /* what every ring holds at least [7.7]; 0 = no RESEND */
    uint64_t boot_us; /* device time at which sample 0 of every stream would have been taken [4.6, 5.2] */
    uint8_t n_streams;
    const emgmon_stream_config *streams;
    uint8_t *description; /* memory for the description */
    size_t description_bytes;
    uint16_t
        least_payload; /* START is refused below this payload size; 0 = whatever carries one sample [6.9] */
    void *user;
    uint32_t (*random_u32)(void *user);
    /* Device time in microseconds when a response leaves, for TIME [8.5]; NULL = the moment of
     * emgmon_next_indication. */
    uint64_t (*clock_us)(void *user);
    /* Keep this over power-down and hand it to emgmon_restore_sites() after the next init; NULL = no SET
     * SITES. */
    void (*store_sites)(void *user, const uint8_t *description, size_t n_bytes);
    /* Blink or buzz; 0 ends it. NULL = no IDENTIFY. */
    void (*identify)(void *user, uint8_t seconds);
    /* One channel of the stream in `row`; false = cannot check now. NULL = no LEAD CHECK. */
    bool (*lead_check)(void *user, uint8_t row, uint8_t channel, emgmon_lead *lead);
} emgmon_config;

/* Samples lost inside the sensor that the host was not told of yet. */
typedef struct {
    uint64_t first;
    uint64_t end;
    uint64_t told_us;
    uint32_t turn;
    bool pending;
    bool told;
} emgmon_dropped;

/* One stream at work. The fields are the library's; the memory is yours. */
typedef struct {
    const emgmon_stream_config *config;
    uint32_t capacity;    /* samples */
    uint16_t sample_size; /* bytes of all channels */
    /* Shared by producer and consumer. */
    uint64_t next;  /* number of the next sample to be taken */
    uint64_t begin; /* number of the first sample since sampling began */
    uint64_t
        plain_from;  /* from here on there is neither a hole nor a flag before which a packet has to end */
    uint64_t cursor; /* number of the next sample to be sent for the first time */
    uint32_t write_slot; /* slot of `next` */
    bool gap_before;     /* samples are missing right before `next` */
    bool overtaken;      /* the ring went over the cursor */
    emgmon_dropped dropped;
    /* The consumer's. */
    uint64_t held_from; /* nothing is held from the cursor up to here */
    uint16_t sequence;
} emgmon_stream;

/* A status notification that waits, or that was sent less than a second ago [6.14]. */
typedef struct {
    uint8_t kind; /* 0 = free */
    uint8_t stream;
    uint8_t channel;
    uint8_t payload[3];
    bool pending;
    bool told;
    uint32_t turn;
    uint64_t told_us;
} emgmon_notice;

/* The range of a RESEND that is on its way [8.4]. */
typedef struct {
    uint64_t next;
    uint64_t end;
    uint8_t row;
    bool pending;
} emgmon_resend;

/* The sensor at work. The fields are the library's; the memory is yours. */
typedef struct {
    const emgmon_config *config;
    emgmon_stream *streams;
    emgmon_notice *notices;
    uint8_t n_notices;
    size_t description_length;
    bool connected;
    bool sampling;
    bool streaming;
    bool unconfirmed; /* an indication is on the air */
    bool starting;    /* ... or waits, and it is the response to START */
    bool stamp_sent;  /* the waiting response is TIME's: t3 is written when it leaves */
    uint8_t status_count;
    uint32_t turns;           /* given out to statuses that wait */
    uint16_t response_length; /* of the response that waits; 0 = none */
    emgmon_resend resend;
    uint8_t response[EMGMON_MAX_PAYLOAD];
} emgmon_sensor;

/* Call 1: once at power-up. `config` and all it points to, `streams` (config->n_streams of them) and
 * `notices` stay. `notices` may be NULL with 0: no LEADS, SATURATED and BATTERY then; 2 per channel and one
 * for the battery hold all. */
emgmon_fault emgmon_init(emgmon_sensor *sensor, const emgmon_config *config, emgmon_stream *streams,
                         emgmon_notice *notices, uint8_t n_notices);

/* Sites that SET SITES once stored, before the first connection. False: those bytes do not describe this
 * sensor. */
bool emgmon_restore_sites(emgmon_sensor *sensor, const uint8_t *description, size_t n_bytes);

/* Call 2 (producer): the next samples of the stream in `row` of the configuration, sample by sample, channel
 * by channel. INT16 reads int16_t, INT24 int32_t, FLOAT32 float. `flags`: EMGMON_SATURATED, EMGMON_LEAD_OFF.
 * Ignored unless sampling. EMGMON_GAP_BEFORE and EMGMON_TIME_DISCONTINUITY speak of the first of them. */
void emgmon_take(emgmon_sensor *sensor, uint8_t row, const void *values, uint32_t n_samples, uint8_t flags);

/* (producer) The converter lost so many samples: they keep their numbers [5.5]. */
void emgmon_skip(emgmon_sensor *sensor, uint8_t row, uint32_t n_samples);

/* Sampling began with START, goes on after a disconnection [2.8] and ends with STOP: run the converter while
 * true. */
bool emgmon_is_sampling(const emgmon_sensor *sensor);
/* Number of the next sample of a stream, counted without wrapping: what emgmon_take() will call its first. */
uint64_t emgmon_next_sample(const emgmon_sensor *sensor, uint8_t row);
/* Device time of a sample, microseconds; after START wait for that of emgmon_next_sample() to take it. */
uint64_t emgmon_sample_time_us(const emgmon_sensor *sensor, uint8_t row, uint64_t sample);
/* Whether a session runs [1.6]: START was obeyed, and neither STOP, nor a disconnection, nor notifications
 * off came since. */
bool emgmon_is_streaming(const emgmon_sensor *sensor);
/* Save the battery when nobody has come back for ten minutes [2.8]; the next START samples again. */
void emgmon_end_sampling(emgmon_sensor *sensor);

void emgmon_connected(emgmon_sensor *sensor);
void emgmon_disconnected(emgmon_sensor *sensor);
/* The host switched notifications of data off: the session ends, sampling goes on [2.8]. */
void emgmon_notifications_off(emgmon_sensor *sensor);

/* Call 3: the host wrote to the control point. `payload_size` is ATT_MTU - 3, `notifying` whether it enabled
 * the notifications of data. Makes the response, which emgmon_next_indication() gives. False: the host did
 * not wait for the response to its last request [6.5]; refuse the write with ATT error 0xFE (Procedure
 * Already in Progress). */
bool emgmon_written(emgmon_sensor *sensor, const uint8_t *written, size_t n_bytes, uint16_t payload_size,
                    bool notifying, uint64_t now_us);

/* The next indication of the control point: a response, else a status notification. Writes at most
 * EMGMON_MAX_PAYLOAD bytes; 0 = nothing, also while the last one is not confirmed. */
size_t emgmon_next_indication(emgmon_sensor *sensor, uint64_t now_us, uint8_t *out);
/* The host confirmed the last indication; ask for the next one. */
void emgmon_confirmed(emgmon_sensor *sensor);

/* Call 4: the radio has room for one notification of `payload_size` bytes. Samples never sent go first, then
 * those of a RESEND. Writes at most payload_size bytes; 0 = nothing is due. What you take you have to send,
 * or try again. */
size_t emgmon_next_packet(emgmon_sensor *sensor, uint16_t payload_size, uint8_t *out);

/* Status notifications [6.14]; the newest of a channel waits for its turn. */
void emgmon_lead_changed(emgmon_sensor *sensor, uint8_t row, uint8_t channel, uint8_t contact);
void emgmon_saturated(emgmon_sensor *sensor, uint8_t row, uint8_t channel);
void emgmon_battery(emgmon_sensor *sensor, uint8_t percent, uint8_t bits);

/* The description as it stands [7]. */
const uint8_t *emgmon_description(const emgmon_sensor *sensor, size_t *n_bytes);
/* Write a description without a sensor; 0 = it does not fit. */
size_t emgmon_write_description(const emgmon_config *config, uint8_t *out, size_t size);
/* Bits of a float, for emgmon_channel.scale_bits. */
uint32_t emgmon_scale_bits(float scale);

/* The header of a packet [4.1]; counters are reduced modulo their width. */
typedef struct {
    uint8_t format;
    uint8_t stream;
    uint8_t n_samples;
    uint8_t flags;
    uint16_t sequence;
    uint64_t first_sample;
    uint64_t time_us;
} emgmon_header;
void emgmon_write_header(const emgmon_header *header, uint8_t *out);
/* Write values as emgmon_take() reads them; n_values counts samples times channels. Returns whether all of
 * them fit: an INT24 beyond its range is written as the end of the range, an infinity as the NaN of [4.12].
 */
bool emgmon_write_values(uint8_t format, const void *values, size_t n_values, uint8_t *out);

#ifdef __cplusplus
}
#endif

#endif
