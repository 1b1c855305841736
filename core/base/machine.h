/* machine.h - what this machine, or the container around the process, has. */
#ifndef HN_MACHINE_H
#define HN_MACHINE_H

/* Bytes of memory, of this machine or of the container that the process is confined to.  [any] */
double hn_machine_bytes(void);
#endif
