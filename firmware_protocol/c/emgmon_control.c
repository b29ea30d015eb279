/* The control point: what the host wrote becomes one response; indications leave one at a time. */
#include "emgmon_internal.h"

#include <string.h>

#define RESPONSE_BIT 0x80u
#define LEAST_PAYLOAD 20u /* no link of Bluetooth Low Energy carries less */

enum {
    GET_CAPABILITIES = 1,
    START = 2,
    STOP = 3,
    RESEND = 4,
    TIME = 5,
    SET_SITES = 6,
    IDENTIFY = 7,
    LEAD_CHECK = 8
};

/* A write to the control point, and what is true of the link. */
typedef struct {
    uint8_t opcode;
    const uint8_t *payload;
    size_t n_bytes;
    uint16_t payload_size;
    bool notifying;
    uint64_t now_us;
} request;

static uint8_t *payload_of(emgmon_sensor *sensor)
{
    return sensor->response + EMGMON_RESPONSE_HEAD;
}

/* Not one byte more than the link carries: tell the host what would do. */
static uint8_t needs_more(emgmon_sensor *sensor, size_t response_length)
{
    emgmon_put_u16(payload_of(sensor), (uint16_t)(response_length + EMGMON_ATT_OVERHEAD));
    sensor->response_length = EMGMON_RESPONSE_HEAD + 2u;
    return EMGMON_MTU_TOO_SMALL;
}

static uint8_t get_capabilities(emgmon_sensor *sensor, const request *asked)
{
    const size_t offset = emgmon_get_u16(asked->payload);
    size_t n_bytes = asked->payload_size - EMGMON_RESPONSE_HEAD - 4u;
    if (offset >= sensor->description_length) {
        return EMGMON_BAD_PAYLOAD;
    }
    if (n_bytes > sensor->description_length - offset) {
        n_bytes = sensor->description_length - offset;
    }
    emgmon_put_u16(payload_of(sensor), (uint16_t)sensor->description_length);
    emgmon_put_u16(payload_of(sensor) + 2, (uint16_t)offset);
    memcpy(payload_of(sensor) + 4, sensor->config->description + offset, n_bytes);
    sensor->response_length = (uint16_t)(EMGMON_RESPONSE_HEAD + 4u + n_bytes);
    return EMGMON_OK;
}

static uint8_t stop(emgmon_sensor *sensor)
{
    emgmon_stop_sending(sensor);
    EMGMON_ENTER();
    sensor->sampling = false;
    EMGMON_LEAVE();
    return EMGMON_OK;
}

/* t3 is written when the response leaves. */
static uint8_t tell_time(emgmon_sensor *sensor, const request *asked)
{
    const size_t length = EMGMON_RESPONSE_HEAD + 20u;
    if (length > asked->payload_size) {
        return needs_more(sensor, length);
    }
    memcpy(payload_of(sensor), asked->payload, 8);
    emgmon_put_u48(payload_of(sensor) + 8, asked->now_us);
    sensor->response_length = (uint16_t)length;
    sensor->stamp_sent = true;
    return EMGMON_OK;
}

static uint8_t set_sites(emgmon_sensor *sensor, const request *asked)
{
    const emgmon_config *config = sensor->config;
    if (!emgmon_sites_are_allowed(sensor, asked->payload, asked->n_bytes)) {
        return EMGMON_BAD_PAYLOAD;
    }
    if (sensor->streaming) {
        return EMGMON_WRONG_STATE;
    }
    emgmon_set_sites(sensor, asked->payload);
    config->store_sites(config->user, config->description, sensor->description_length);
    return EMGMON_OK;
}

static uint8_t identify(const emgmon_sensor *sensor, const request *asked)
{
    sensor->config->identify(sensor->config->user, asked->payload[0]);
    return EMGMON_OK;
}

static uint8_t check_leads(emgmon_sensor *sensor, const request *asked)
{
    const emgmon_config *config = sensor->config;
    const emgmon_stream *stream = emgmon_find_stream(sensor, asked->payload[0]);
    uint8_t *out = payload_of(sensor);
    uint8_t channel;
    size_t length;
    if (stream == NULL) {
        return EMGMON_BAD_PAYLOAD;
    }
    length = EMGMON_RESPONSE_HEAD + 2u + 3u * (size_t)stream->config->n_channels;
    if (length > asked->payload_size) {
        return needs_more(sensor, length);
    }
    out[0] = stream->config->number;
    out[1] = stream->config->n_channels;
    for (channel = 0; channel < stream->config->n_channels; channel++) {
        emgmon_lead lead = {EMGMON_CONTACT_UNKNOWN, EMGMON_NO_IMPEDANCE};
        if (!config->lead_check(config->user, (uint8_t)(stream - sensor->streams), channel, &lead)) {
            return EMGMON_WRONG_STATE;
        }
        out[2u + 3u * channel] = lead.contact;
        emgmon_put_u16(out + 3u + 3u * channel, lead.impedance_kohm);
    }
    sensor->response_length = (uint16_t)length;
    return EMGMON_OK;
}

/* Bytes of the payload of a request; SET SITES counts its own, and -1 stands for an opcode that is not known.
 */
static int payload_bytes(const emgmon_sensor *sensor, uint8_t opcode)
{
    static const int8_t bytes[] = {-1, 2, 0, 0, 9, 8, 0, 1, 1};
    const uint8_t last = sensor->config->version_minor == 0 ? STOP : LEAD_CHECK;
    return opcode <= last ? bytes[opcode] : -1;
}

static bool is_offered(const emgmon_config *config, uint8_t opcode)
{
    switch (opcode) {
    case RESEND: return config->ring_ms != 0;
    case SET_SITES: return config->store_sites != NULL;
    case IDENTIFY: return config->identify != NULL;
    case LEAD_CHECK: return config->lead_check != NULL;
    default: return true;
    }
}

/* Where several refusals apply, their order is that of [6.4]. */
static uint8_t obey(emgmon_sensor *sensor, const request *asked)
{
    const int expected = payload_bytes(sensor, asked->opcode);
    if (expected < 0) {
        return EMGMON_UNKNOWN_OPCODE;
    }
    if (!is_offered(sensor->config, asked->opcode)) {
        return EMGMON_NOT_SUPPORTED;
    }
    if (asked->opcode != SET_SITES && asked->n_bytes != (size_t)expected) {
        return EMGMON_BAD_PAYLOAD;
    }
    switch (asked->opcode) {
    case GET_CAPABILITIES: return get_capabilities(sensor, asked);
    case START: return emgmon_start(sensor, asked->payload_size, asked->notifying, asked->now_us);
    case STOP: return stop(sensor);
    case RESEND: return emgmon_resend_range(sensor, asked->payload);
    case TIME: return tell_time(sensor, asked);
    case SET_SITES: return set_sites(sensor, asked);
    case IDENTIFY: return identify(sensor, asked);
    default: return check_leads(sensor, asked);
    }
}

bool emgmon_written(emgmon_sensor *sensor, const uint8_t *written, size_t n_bytes, uint16_t payload_size,
                    bool notifying, uint64_t now_us)
{
    request asked;
    if (sensor->response_length != 0) {
        return false;
    }
    sensor->response_length = EMGMON_RESPONSE_HEAD;
    if (n_bytes < 2 || written[0] == 0 || (written[0] & RESPONSE_BIT) != 0) {
        sensor->response[0] = RESPONSE_BIT;
        sensor->response[1] = 0;
        sensor->response[2] = EMGMON_BAD_PAYLOAD;
        return true;
    }
    asked.opcode = written[0];
    asked.payload = written + 2;
    asked.n_bytes = n_bytes - 2u;
    asked.payload_size = payload_size < EMGMON_MAX_PAYLOAD ? payload_size : EMGMON_MAX_PAYLOAD;
    asked.payload_size = asked.payload_size < LEAST_PAYLOAD ? LEAST_PAYLOAD : asked.payload_size;
    asked.notifying = notifying;
    asked.now_us = now_us;
    sensor->response[0] = (uint8_t)(written[0] | RESPONSE_BIT);
    sensor->response[1] = written[1];
    sensor->response[2] = obey(sensor, &asked);
    return true;
}

static size_t send_response(emgmon_sensor *sensor, uint64_t now_us, uint8_t *out)
{
    const emgmon_config *config = sensor->config;
    const size_t length = sensor->response_length;
    if (sensor->stamp_sent) {
        const uint64_t sent_us = config->clock_us == NULL ? now_us : config->clock_us(config->user);
        emgmon_put_u48(payload_of(sensor) + 14, sent_us);
        sensor->stamp_sent = false;
    }
    memcpy(out, sensor->response, length);
    sensor->response_length = 0;
    return length;
}

size_t emgmon_next_indication(emgmon_sensor *sensor, uint64_t now_us, uint8_t *out)
{
    size_t length;
    if (sensor->unconfirmed) {
        return 0;
    }
    length = sensor->response_length != 0 ? send_response(sensor, now_us, out)
                                          : emgmon_next_status(sensor, now_us, out);
    sensor->unconfirmed = length != 0;
    return length;
}

void emgmon_confirmed(emgmon_sensor *sensor)
{
    sensor->unconfirmed = false;
    if (sensor->response_length == 0) {
        sensor->starting = false;
    }
}
