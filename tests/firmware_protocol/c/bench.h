/* A sensor on the bench, for the rules: two streams, and a board that remembers what it was asked. */
#ifndef BENCH_H
#define BENCH_H

#include "emgmon_sensor.h"

typedef struct {
    bool (*holds)(void);
    const char *sentence;
} rule;

#define RULE(name)                                                                                           \
    {                                                                                                        \
        name, #name                                                                                          \
    }

extern const rule set_up_rules[];
extern const size_t n_set_up_rules;
extern const rule session_rules[];
extern const size_t n_session_rules;

extern uint8_t description[EMGMON_DESCRIPTION_BYTES(5u, 2u, 3u)];
extern uint8_t stored[EMGMON_DESCRIPTION_BYTES(5u, 2u, 3u)];
extern size_t stored_bytes;
extern int identified;
extern bool leads_can_be_checked;
extern emgmon_channel emg[2];
extern emgmon_channel imu[1];
extern emgmon_stream_config stream_configs[2];
extern emgmon_config config;
extern emgmon_sensor sensor;
extern const uint8_t start[2];

/* The board. */
uint64_t clock_us(void *user);
void store(void *user, const uint8_t *bytes, size_t n_bytes);
void identify(void *user, uint8_t seconds);
bool lead_check(void *user, uint8_t row, uint8_t channel, emgmon_lead *lead);

/* A sound configuration, to be made worse. */
void describe(void);
emgmon_fault init(void);
/* Both, and a host. */
void switch_on(void);

bool write_bytes(const uint8_t *bytes, size_t n_bytes);
/* The status of the response to a request; 0xFF = none came. */
uint8_t status_of(const uint8_t *bytes, size_t n_bytes);
void take(uint32_t n_samples);
/* Whether a packet is due; it is gone then. */
bool sends(void);

#endif
