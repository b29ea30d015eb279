/* Plays a script of calls to the C sensor and writes what it answers: for sanitizers, and for processors
 * without Python.
 *
 * driver [SCRIPT OUTPUT]; standard input and output without. Numbers are little-endian. Every call that gives
 * bytes writes their count (u16) and the bytes. tests/firmware_protocol/c/schedules.py writes the scripts.
 */
#include "host/emgmon_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static FILE *script;
static FILE *output;
static emgmon_host *host;
static emgmon_sensor *sensor;
static uint32_t session_id;

static uint32_t draw(void *user)
{
    (void)user;
    return session_id;
}

static void stop_with(const char *reason)
{
    fprintf(stderr, "driver: %s\n", reason);
    exit(2);
}

static uint64_t number(int n_bytes)
{
    uint64_t value = 0;
    int i;
    for (i = 0; i < n_bytes; i++) {
        const int byte = fgetc(script);
        if (byte == EOF) {
            stop_with("the script ends in the middle of a call");
        }
        value |= (uint64_t)byte << (8 * i);
    }
    return value;
}

/* Memory of exactly that size, so that a sanitizer sees one byte too many. */
static uint8_t *memory(size_t n_bytes)
{
    uint8_t *bytes = malloc(n_bytes > 0 ? n_bytes : 1);
    if (bytes == NULL) {
        stop_with("out of memory");
    }
    return bytes;
}

static uint8_t *some_bytes(size_t n_bytes)
{
    uint8_t *bytes = memory(n_bytes);
    if (fread(bytes, 1, n_bytes, script) != n_bytes) {
        stop_with("the script ends in the middle of its bytes");
    }
    return bytes;
}

static void answer(const uint8_t *bytes, size_t n_bytes)
{
    fputc((int)(n_bytes & 0xFFu), output);
    fputc((int)(n_bytes >> 8), output);
    fwrite(bytes, 1, n_bytes, output);
}

static void describe(void)
{
    const size_t n_bytes = (size_t)number(2);
    uint8_t *description = some_bytes(n_bytes);
    const uint64_t boot_us = number(8);
    if (host != NULL) {
        emgmon_host_free(host);
    }
    host = emgmon_host_new(description, n_bytes, boot_us, draw);
    free(description);
    if (host == NULL) {
        stop_with("no sensor is like that");
    }
    sensor = emgmon_host_sensor(host);
}

static void take(void)
{
    const uint8_t row = (uint8_t)number(1);
    const uint8_t flags = (uint8_t)number(1);
    const uint32_t n_samples = (uint32_t)number(2);
    const emgmon_stream_config *config = sensor->streams[row].config;
    const size_t n_values = (size_t)n_samples * config->n_channels;
    const size_t width = config->format == EMGMON_INT16 ? 2 : 4;
    uint8_t *values = memory(n_values * width);
    size_t i;
    for (i = 0; i < n_values; i++) {
        /* Into the order of bytes of this processor. */
        if (width == 2) {
            const uint16_t value = (uint16_t)number(2);
            memcpy(values + 2 * i, &value, sizeof value);
        } else {
            const uint32_t value = (uint32_t)number(4);
            memcpy(values + 4 * i, &value, sizeof value);
        }
    }
    emgmon_take(sensor, row, values, n_samples, flags);
    free(values);
}

static void next_indication(uint64_t now_us)
{
    uint8_t *out = memory(EMGMON_MAX_PAYLOAD);
    answer(out, emgmon_next_indication(sensor, now_us, out));
    emgmon_confirmed(sensor);
    free(out);
}

static void write_control_point(void)
{
    const uint16_t payload_size = (uint16_t)number(2);
    const bool notifying = number(1) != 0;
    const uint64_t now_us = number(8);
    size_t n_bytes;
    uint8_t *written;
    session_id = (uint32_t)number(4);
    n_bytes = (size_t)number(2);
    written = some_bytes(n_bytes);
    (void)emgmon_written(sensor, written, n_bytes, payload_size, notifying, now_us);
    free(written);
    next_indication(now_us);
}

static void next_packet(void)
{
    const uint16_t payload_size = (uint16_t)number(2);
    uint8_t *out = memory(payload_size);
    answer(out, emgmon_next_packet(sensor, payload_size, out));
    free(out);
}

static void report(int kind)
{
    const uint8_t a = (uint8_t)number(1);
    const uint8_t b = (uint8_t)number(1);
    const uint8_t c = (uint8_t)number(1);
    if (kind == 'L') {
        emgmon_lead_changed(sensor, a, b, c);
    } else if (kind == 'V') {
        emgmon_saturated(sensor, a, b);
    } else {
        emgmon_battery(sensor, a, b);
    }
}

static void skip(void)
{
    const uint8_t row = (uint8_t)number(1);
    emgmon_skip(sensor, row, (uint32_t)number(4));
}

static void play(int call)
{
    switch (call) {
    case 'D': describe(); break;
    case 'T': take(); break;
    case 'S': skip(); break;
    case 'C': emgmon_connected(sensor); break;
    case 'X': emgmon_disconnected(sensor); break;
    case 'O': emgmon_notifications_off(sensor); break;
    case 'W': write_control_point(); break;
    case 'P': next_packet(); break;
    case 'N': next_indication(number(8)); break;
    case 'L':
    case 'V':
    case 'B': report(call); break;
    default: stop_with("the script has a call that is not known");
    }
}

int main(int argc, char **argv)
{
    int call;
    script = argc > 2 ? fopen(argv[1], "rb") : stdin;
    output = argc > 2 ? fopen(argv[2], "wb") : stdout;
    if (script == NULL || output == NULL) {
        stop_with("a file cannot be opened");
    }
    while ((call = fgetc(script)) != EOF) {
        play(call);
    }
    if (host != NULL) {
        emgmon_host_free(host);
    }
    return fclose(output) == 0 ? 0 : 1;
}
