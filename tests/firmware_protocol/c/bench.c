/* The sensor on the bench: see bench.h. */
#include "bench.h"

#include <string.h>

#define EMG_SAMPLES 300u
#define IMU_SAMPLES 260u

static uint8_t emg_ring[EMGMON_RING_BYTES(EMG_SAMPLES, 2u, 3u)];
static uint8_t imu_ring[EMGMON_RING_BYTES(IMU_SAMPLES, 1u, 4u)];
static emgmon_stream streams[2];
static emgmon_notice notices[2];

uint8_t description[EMGMON_DESCRIPTION_BYTES(5u, 2u, 3u)];
uint8_t stored[EMGMON_DESCRIPTION_BYTES(5u, 2u, 3u)];
size_t stored_bytes;
int identified = -1;
bool leads_can_be_checked = true;
emgmon_channel emg[2];
emgmon_channel imu[1];
emgmon_stream_config stream_configs[2];
emgmon_config config;
emgmon_sensor sensor;
const uint8_t start[2] = {2, 1};

static uint32_t draw(void *user)
{
    (void)user;
    return 77;
}

uint64_t clock_us(void *user)
{
    (void)user;
    return 4242;
}

void store(void *user, const uint8_t *bytes, size_t n_bytes)
{
    (void)user;
    memcpy(stored, bytes, n_bytes);
    stored_bytes = n_bytes;
}

void identify(void *user, uint8_t seconds)
{
    (void)user;
    identified = seconds;
}

bool lead_check(void *user, uint8_t row, uint8_t channel, emgmon_lead *lead)
{
    (void)user;
    lead->contact = row == 0 ? EMGMON_CONTACT_GOOD : EMGMON_CONTACT_UNKNOWN;
    lead->impedance_kohm = (uint16_t)(10u + channel);
    return leads_can_be_checked;
}

static void set_stream(uint8_t row, uint8_t number, uint8_t kind, uint8_t format)
{
    stream_configs[row].number = number;
    stream_configs[row].kind = kind;
    stream_configs[row].format = format;
    stream_configs[row].n_channels = row == 0 ? 2 : 1;
    stream_configs[row].rate_uhz = 1000000000u;
    stream_configs[row].channels = row == 0 ? emg : imu;
    stream_configs[row].ring = row == 0 ? emg_ring : imu_ring;
    stream_configs[row].ring_bytes = row == 0 ? sizeof emg_ring : sizeof imu_ring;
}

static void set_channel(emgmon_channel *channel, uint8_t quantity, uint8_t axis, uint8_t unit)
{
    channel->quantity = quantity;
    channel->side = EMGMON_LEFT;
    channel->axis = axis;
    channel->unit = unit;
    channel->scale_bits = emgmon_scale_bits(0.25f);
    channel->site = "lumbar";
}

void describe(void)
{
    set_channel(&emg[0], EMGMON_EMG, EMGMON_NO_AXIS, EMGMON_MICROVOLT);
    set_channel(&emg[1], EMGMON_ENVELOPE, EMGMON_NO_AXIS, EMGMON_MICROVOLT);
    set_channel(&imu[0], EMGMON_ACCELERATION, EMGMON_Z, EMGMON_METRE_PER_S2);
    set_stream(0, 1, EMGMON_EMG_STREAM, EMGMON_INT24);
    set_stream(1, 2, EMGMON_IMU_STREAM, EMGMON_FLOAT32);
    memset(&config, 0, sizeof config);
    config.version_minor = EMGMON_VERSION_MINOR;
    config.name = "rules";
    config.ring_ms = 260;
    config.n_streams = 2;
    config.streams = stream_configs;
    config.description = description;
    config.description_bytes = sizeof description;
    config.random_u32 = draw;
}

emgmon_fault init(void)
{
    return emgmon_init(&sensor, &config, streams, notices, 2);
}

void switch_on(void)
{
    describe();
    (void)init();
    emgmon_connected(&sensor);
}

bool write_bytes(const uint8_t *bytes, size_t n_bytes)
{
    return emgmon_written(&sensor, bytes, n_bytes, 244, true, 1000);
}

uint8_t status_of(const uint8_t *bytes, size_t n_bytes)
{
    uint8_t out[EMGMON_MAX_PAYLOAD];
    (void)write_bytes(bytes, n_bytes);
    if (emgmon_next_indication(&sensor, 1000, out) == 0) {
        return 0xFF;
    }
    emgmon_confirmed(&sensor);
    return out[2];
}

void take(uint32_t n_samples)
{
    const int32_t sample[2] = {1, -1};
    uint32_t i;
    for (i = 0; i < n_samples; i++) {
        emgmon_take(&sensor, 0, sample, 1, 0);
    }
}

bool sends(void)
{
    uint8_t out[244];
    return emgmon_next_packet(&sensor, sizeof out, out) != 0;
}
