/* How many instructions of a Cortex-M4 a sample and a packet take, and for how many interrupts are off.
 * For an emulator that counts 128 ns for every instruction (qemu -icount shift=7) and has SysTick at 25 MHz.
 */
#include "emgmon_sensor.h"
#include "port_systick.h"

#include <stdio.h>

#define CHANNELS 4u
#define RING 4000u
#define PAYLOAD 244u
#define N_PACKETS 200u

#define SYST_CSR (*(volatile uint32_t *)0xE000E010u)
#define SYST_RVR (*(volatile uint32_t *)0xE000E014u)
#define SYST_CVR (*(volatile uint32_t *)0xE000E018u)
#define MASK 0x00FFFFFFu
#define TICK_NS 40u
#define INSTRUCTION_NS 128u

static uint8_t ring[EMGMON_RING_BYTES(RING, CHANNELS, 2u)];
static uint8_t description[EMGMON_DESCRIPTION_BYTES(5u, 1u, CHANNELS)];
static emgmon_sensor sensor;
static emgmon_stream streams[1];
static uint32_t entered;
static uint32_t longest;
static const char *doing = "";
static const char *longest_in = "";

static uint32_t since(uint32_t begin)
{
    return (begin - SYST_CVR) & MASK;
}

static unsigned instructions(uint32_t ticks)
{
    return (unsigned)(ticks * TICK_NS / INSTRUCTION_NS);
}

void port_enter(void)
{
    __asm volatile("cpsid i");
    entered = SYST_CVR;
}

void port_leave(void)
{
    const uint32_t ticks = since(entered);
    if (ticks > longest) {
        longest = ticks;
        longest_in = doing;
    }
    __asm volatile("cpsie i");
}

static uint32_t draw(void *user)
{
    (void)user;
    return 1;
}

static void ask(const uint8_t *written, size_t n_bytes)
{
    uint8_t out[EMGMON_MAX_PAYLOAD];
    (void)emgmon_written(&sensor, written, n_bytes, PAYLOAD, true, 0);
    (void)emgmon_next_indication(&sensor, 0, out);
    emgmon_confirmed(&sensor);
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
    ask(written, sizeof written);
}

/* One packet's worth of samples, one at a time, as an interrupt of the converter has them. */
static uint32_t take_a_packet(unsigned n_samples)
{
    static const int16_t sample[CHANNELS] = {1, -2, 300, -400};
    const uint32_t begin = SYST_CVR;
    unsigned i;
    doing = "take";
    for (i = 0; i < n_samples; i++) {
        emgmon_take(&sensor, 0, sample, 1, 0);
    }
    return since(begin);
}

static uint32_t send_a_packet(size_t *n_bytes)
{
    uint8_t out[PAYLOAD];
    const uint32_t begin = SYST_CVR;
    doing = "next packet";
    *n_bytes = emgmon_next_packet(&sensor, PAYLOAD, out);
    return since(begin);
}

int main(void)
{
    const unsigned n_samples = (PAYLOAD - 16u) / (2u * CHANNELS);
    uint32_t taking = 0, sending = 0, again;
    const uint8_t resend[] = {4, 0, 1, 0, 0, 0, 0, 200, 0, 0, 0};
    size_t n_bytes = 0;
    unsigned i;
    SYST_RVR = MASK;
    SYST_CVR = 0;
    SYST_CSR = 5;
    start();
    longest = 0;
    for (i = 0; i < N_PACKETS; i++) {
        taking += take_a_packet(n_samples);
        sending += send_a_packet(&n_bytes);
    }
    printf("sample of %u channels: %u instructions\n", CHANNELS,
           instructions(taking) / (N_PACKETS * n_samples));
    printf("packet of %u bytes: %u instructions\n", (unsigned)n_bytes, instructions(sending) / N_PACKETS);
    printf("longest with interrupts off: %u instructions, in %s\n", instructions(longest), longest_in);
    longest = 0;
    emgmon_skip(&sensor, 0, 3000);
    printf("skipping 3000 samples: %u instructions with interrupts off\n", instructions(longest));
    longest = 0;
    doing = "looking for held samples";
    (void)take_a_packet(n_samples);
    ask(resend, sizeof resend);
    again = send_a_packet(&n_bytes);
    printf("the next packet after that: %u instructions, %u at once with interrupts off\n",
           instructions(again), instructions(longest));
    return 0;
}
