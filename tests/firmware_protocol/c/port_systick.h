/* The port of the library to a bare Cortex-M: interrupts off, and the longest time that they were. */
#ifndef PORT_SYSTICK_H
#define PORT_SYSTICK_H

void port_enter(void);
void port_leave(void);
#define EMGMON_ENTER() port_enter()
#define EMGMON_LEAVE() port_leave()

#endif
