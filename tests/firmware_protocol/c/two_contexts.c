/* One thread takes samples, another sends and asks again: every packet has to be true of its samples. */
#define _POSIX_C_SOURCE 200809L
#include "emgmon_sensor.h"
#include "port_pthread.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RATE_HZ 1000u
#define CAPACITY 400u
#define CHANNELS 2u
#define N_SAMPLES 60000u
#define PAYLOAD 100u

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool locked;
static emgmon_sensor sensor;
static uint64_t lost;
static uint64_t progress; /* number behind the newest sample that was sent */

void port_enter(void)
{
    pthread_mutex_lock(&lock);
    if (locked) {
        abort();
    }
    locked = true;
}

void port_leave(void)
{
    locked = false;
    pthread_mutex_unlock(&lock);
}

static uint32_t draw(void *user)
{
    (void)user;
    return 1;
}

static int16_t truth(uint64_t sample, unsigned channel)
{
    return (int16_t)((sample * 3u + channel) % 30000u);
}

static bool is_far_ahead(uint64_t sample)
{
    bool far;
    port_enter();
    far = sample > progress + CAPACITY / 2u;
    port_leave();
    return far;
}

static void sent_up_to(uint64_t sample)
{
    port_enter();
    progress = sample;
    port_leave();
}

/* Most of the time the radio keeps up; in every fourth stretch nobody cares whether it does. */
static void wait_for_radio(uint64_t sample)
{
    while (sample / 5000u % 4u != 3u && is_far_ahead(sample)) {
        sched_yield();
    }
}

static void *produce(void *user)
{
    uint32_t left = N_SAMPLES;
    (void)user;
    while (left > 0) {
        const uint32_t n_samples = left % 7u + 1u < left ? left % 7u + 1u : left;
        const uint64_t first = emgmon_next_sample(&sensor, 0);
        int16_t values[8 * CHANNELS];
        uint32_t i;
        wait_for_radio(first);
        for (i = 0; i < n_samples * CHANNELS; i++) {
            values[i] = truth(first + i / CHANNELS, i % CHANNELS);
        }
        if (left % 501u == 0) {
            emgmon_skip(&sensor, 0, n_samples);
            lost += n_samples;
        } else {
            emgmon_take(&sensor, 0, values, n_samples, 0);
        }
        left -= n_samples;
    }
    return NULL;
}

static uint32_t get_u32(const uint8_t *in)
{
    return (uint32_t)in[0] | (uint32_t)in[1] << 8 | (uint32_t)in[2] << 16 | (uint32_t)in[3] << 24;
}

/* Samples of the packet, after a look at each of them. */
static unsigned checked(const uint8_t *packet, size_t n_bytes)
{
    const uint32_t first = get_u32(packet + 4);
    unsigned i;
    if (n_bytes != 16u + 4u * packet[14]) {
        printf("a packet of %u samples has %u bytes\n", packet[14], (unsigned)n_bytes);
        exit(1);
    }
    for (i = 0; i < packet[14] * CHANNELS; i++) {
        const int value = packet[16 + 2 * i] | packet[17 + 2 * i] << 8;
        if (value != truth(first + i / CHANNELS, i % CHANNELS)) {
            printf("sample %u is not what was taken\n", (unsigned)(first + i / CHANNELS));
            exit(1);
        }
    }
    return packet[14];
}

static void ask(uint8_t opcode, const uint8_t *payload, size_t n_bytes)
{
    uint8_t written[11], out[EMGMON_MAX_PAYLOAD];
    written[0] = opcode;
    written[1] = 0;
    if (n_bytes > 0) {
        memcpy(written + 2, payload, n_bytes);
    }
    (void)emgmon_written(&sensor, written, n_bytes + 2u, PAYLOAD, true, 0);
    while (emgmon_next_indication(&sensor, 0, out) != 0) {
        emgmon_confirmed(&sensor);
    }
}

static void ask_again(uint32_t newest)
{
    uint8_t payload[9] = {1, 0, 0, 0, 0, 50, 0, 0, 0};
    const uint32_t first = newest > 300u ? newest - 300u : 0u;
    unsigned i;
    for (i = 0; i < 4; i++) {
        payload[1 + i] = (uint8_t)(first >> (8u * i));
    }
    ask(4, payload, sizeof payload);
}

static void consume(void)
{
    uint64_t sent = 0, again = 0;
    uint32_t newest = 0;
    unsigned idle = 0;
    while (idle < 1000) {
        uint8_t packet[PAYLOAD];
        const size_t n_bytes = emgmon_next_packet(&sensor, PAYLOAD, packet);
        idle = n_bytes == 0 && emgmon_next_sample(&sensor, 0) == N_SAMPLES ? idle + 1 : 0;
        if (n_bytes == 0) {
            sent_up_to(emgmon_next_sample(&sensor, 0));
            sched_yield();
            continue;
        }
        if ((packet[15] & EMGMON_RETRANSMITTED) != 0) {
            again += checked(packet, n_bytes);
            continue;
        }
        if (sent > 0 && get_u32(packet + 4) < newest) {
            printf("packets are not in the order of their numbers\n");
            exit(1);
        }
        sent += checked(packet, n_bytes);
        newest = get_u32(packet + 4) + packet[14];
        sent_up_to(newest);
        if (newest % 5u == 0) {
            ask_again(newest);
        }
    }
    printf("%u lost by the converter, %u of the others sent, %u sent again\n", (unsigned)lost, (unsigned)sent,
           (unsigned)again);
}

int main(void)
{
    static uint8_t ring[EMGMON_RING_BYTES(CAPACITY, CHANNELS, 2u)];
    static uint8_t description[200];
    const emgmon_channel channels[CHANNELS] = {
        {EMGMON_EMG, EMGMON_LEFT, EMGMON_NO_AXIS, EMGMON_MICROVOLT, 0x3F800000u, "gluteus_maximus"},
        {EMGMON_EMG, EMGMON_RIGHT, EMGMON_NO_AXIS, EMGMON_MICROVOLT, 0x3F800000u, "gluteus_maximus"},
    };
    const emgmon_stream_config stream = {
        1,    EMGMON_EMG_STREAM, EMGMON_INT16, CHANNELS, RATE_HZ * UINT64_C(1000000), channels,
        ring, sizeof ring};
    emgmon_config config;
    emgmon_stream streams[1];
    pthread_t producer;
    memset(&config, 0, sizeof config);
    config.version_minor = EMGMON_VERSION_MINOR;
    config.name = "threads";
    config.ring_ms = CAPACITY;
    config.n_streams = 1;
    config.streams = &stream;
    config.description = description;
    config.description_bytes = sizeof description;
    config.random_u32 = draw;
    if (emgmon_init(&sensor, &config, streams, NULL, 0) != EMGMON_FINE) {
        return 1;
    }
    emgmon_connected(&sensor);
    ask(2, NULL, 0);
    if (pthread_create(&producer, NULL, produce, NULL) != 0) {
        return 1;
    }
    consume();
    return pthread_join(producer, NULL);
}
