/* The port of the library to threads: a lock that notices when it is taken twice. */
#ifndef PORT_PTHREAD_H
#define PORT_PTHREAD_H

void port_enter(void);
void port_leave(void);
#define EMGMON_ENTER() port_enter()
#define EMGMON_LEAVE() port_leave()

#endif
