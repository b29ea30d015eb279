/* The port of the library to systems whose lock hands out a key, as Zephyr's irq_lock() does. */
#ifndef PORT_KEY_H
#define PORT_KEY_H

unsigned port_lock(void);
void port_unlock(unsigned key);
#define EMGMON_ENTER() unsigned port_key = port_lock()
#define EMGMON_LEAVE() port_unlock(port_key)

#endif
