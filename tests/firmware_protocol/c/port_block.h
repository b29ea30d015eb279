/* The port of the library to systems whose lock opens a block, as that of Nordic's nRF5 SDK does. */
#ifndef PORT_BLOCK_H
#define PORT_BLOCK_H

unsigned port_lock(void);
void port_unlock(unsigned key);
#define EMGMON_ENTER()                                                                                       \
    {                                                                                                        \
        unsigned port_key = port_lock()
#define EMGMON_LEAVE()                                                                                       \
    port_unlock(port_key);                                                                                   \
    }                                                                                                        \
    (void)0

#endif
