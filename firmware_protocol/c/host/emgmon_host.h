/* A sensor made from its description on a machine with an operating system: for tests and for the virtual
 * sensor. Firmware does not need this: it writes its configuration down. */
#ifndef EMGMON_HOST_H
#define EMGMON_HOST_H

#include "../emgmon_sensor.h"

typedef struct emgmon_host emgmon_host;

/* NULL where the description cannot be read, the memory does not suffice or emgmon_init() finds a fault. */
emgmon_host *emgmon_host_new(const uint8_t *description, size_t n_bytes, uint64_t boot_us,
                             uint32_t (*random_u32)(void *user));
void emgmon_host_free(emgmon_host *host);
/* The first address of the sensor, for the functions of emgmon_sensor.h. */
emgmon_sensor *emgmon_host_sensor(emgmon_host *host);
/* What LEAD CHECK answers for a channel. */
void emgmon_host_set_lead(emgmon_host *host, uint8_t row, uint8_t channel, uint8_t contact,
                          uint16_t impedance_kohm);
/* Seconds of the last IDENTIFY, -1 before the first. */
int emgmon_host_identified(const emgmon_host *host);

#endif
