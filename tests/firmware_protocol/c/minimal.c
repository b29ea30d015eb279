/* The smallest sensor that keeps the protocol: two EMG channels at 1 kHz, a ring of 2 s, RESEND and TIME.
 * Linked to see how much flash and RAM that takes; every call of a firmware is in it. */
#include "emgmon_sensor.h"

#define CHANNELS 2u
#define SAMPLES 2000u

static uint8_t ring[EMGMON_RING_BYTES(SAMPLES, CHANNELS, 2u)];
static uint8_t description[EMGMON_DESCRIPTION_BYTES(6u, 1u, CHANNELS)];
static emgmon_sensor sensor;
static emgmon_stream streams[1];

static uint32_t draw(void *user)
{
    (void)user;
    return 4;
}

static const emgmon_channel channels[CHANNELS] = {
    {EMGMON_EMG, EMGMON_LEFT, EMGMON_NO_AXIS, EMGMON_MICROVOLT, 0x3E800000u, "gluteus_maximus"},
    {EMGMON_EMG, EMGMON_RIGHT, EMGMON_NO_AXIS, EMGMON_MICROVOLT, 0x3E800000u, "gluteus_maximus"},
};

static const emgmon_stream_config stream_configs[] = {
    {1, EMGMON_EMG_STREAM, EMGMON_INT16, CHANNELS, UINT64_C(1000000000), channels, ring, sizeof ring},
};

static const emgmon_config config = {
    .version_minor = EMGMON_VERSION_MINOR,
    .name = "emgmon",
    .boot_id = 1,
    .ring_ms = SAMPLES,
    .n_streams = 1,
    .streams = stream_configs,
    .description = description,
    .description_bytes = sizeof description,
    .random_u32 = draw,
};

/* Where a board would have its converter, its radio and its clock. */
volatile uint8_t radio[EMGMON_MAX_PAYLOAD];
volatile int event;
volatile uint64_t clock_us;

static void send(const uint8_t *bytes, size_t n_bytes)
{
    size_t i;
    for (i = 0; i < n_bytes; i++) {
        radio[i] = bytes[i];
    }
}

void handle(int what);

void handle(int what)
{
    static const int16_t sample[CHANNELS] = {1, 2};
    static const uint8_t start[] = {2, 0};
    uint8_t out[EMGMON_MAX_PAYLOAD];
    switch (what) {
    case 0: emgmon_take(&sensor, 0, sample, 1, 0); break;
    case 1: emgmon_skip(&sensor, 0, 1); break;
    case 2: emgmon_connected(&sensor); break;
    case 3: emgmon_disconnected(&sensor); break;
    case 4: emgmon_notifications_off(&sensor); break;
    case 5: (void)emgmon_written(&sensor, start, sizeof start, 244, true, clock_us); break;
    case 6: emgmon_confirmed(&sensor); break;
    case 7: send(out, emgmon_next_indication(&sensor, clock_us, out)); break;
    default: send(out, emgmon_next_packet(&sensor, 244, out)); break;
    }
}

int main(void)
{
    if (emgmon_init(&sensor, &config, streams, NULL, 0) != EMGMON_FINE) {
        return 1;
    }
    for (;;) {
        handle(event);
    }
}
