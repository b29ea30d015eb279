/* Nanoseconds that a packet takes on this machine: its samples taken one at a time, then cut, copied and
 * written. */
#include "emgmon_sensor.h"

#include <stdio.h>
#include <time.h>

#define CHANNELS 4u
#define RING 4000u
#define PAYLOAD 244u
#define N_PACKETS 1000000u

static uint8_t ring[EMGMON_RING_BYTES(RING, CHANNELS, 2u)];
static uint8_t description[EMGMON_DESCRIPTION_BYTES(5u, 1u, CHANNELS)];
static emgmon_sensor sensor;
static emgmon_stream streams[1];

static uint32_t draw(void *user)
{
    (void)user;
    return 1;
}

static void start(void)
{
    static const emgmon_channel channel = {EMGMON_EMG,       EMGMON_LEFT, EMGMON_NO_AXIS,
                                           EMGMON_MICROVOLT, 0x3F800000u, "multifidus"};
    static emgmon_channel channels[CHANNELS];
    static emgmon_stream_config stream = {
        1, EMGMON_EMG_STREAM, EMGMON_INT16, CHANNELS, UINT64_C(2000000000), channels, ring, sizeof ring};
    static emgmon_config config = {.name = "speed", .n_streams = 1, .streams = &stream};
    const uint8_t written[] = {2, 0};
    uint8_t out[EMGMON_MAX_PAYLOAD];
    unsigned i;
    for (i = 0; i < CHANNELS; i++) {
        channels[i] = channel;
    }
    config.version_minor = EMGMON_VERSION_MINOR;
    config.ring_ms = 2000;
    config.description = description;
    config.description_bytes = sizeof description;
    config.random_u32 = draw;
    (void)emgmon_init(&sensor, &config, streams, NULL, 0);
    emgmon_connected(&sensor);
    (void)emgmon_written(&sensor, written, sizeof written, PAYLOAD, true, 0);
    (void)emgmon_next_indication(&sensor, 0, out);
    emgmon_confirmed(&sensor);
}

int main(void)
{
    static const int16_t sample[CHANNELS] = {1, -2, 300, -400};
    const unsigned n_samples = (PAYLOAD - 16u) / (2u * CHANNELS);
    unsigned long n_bytes = 0;
    uint8_t out[PAYLOAD];
    clock_t begin;
    double seconds;
    unsigned i, k;
    start();
    begin = clock();
    for (i = 0; i < N_PACKETS; i++) {
        for (k = 0; k < n_samples; k++) {
            emgmon_take(&sensor, 0, sample, 1, 0);
        }
        n_bytes += emgmon_next_packet(&sensor, PAYLOAD, out);
    }
    seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
    printf("packet of %lu bytes with its %u samples: %.0f ns\n", n_bytes / N_PACKETS, n_samples,
           seconds * 1e9 / N_PACKETS);
    return 0;
}
