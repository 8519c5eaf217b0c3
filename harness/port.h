/* What main.c needs from the machine it runs on. Two implementations: port_semihosting.c (bare metal under a debugger
 * or an emulator) and port_host.c (standard C). Every failure prints a message and ends the program. */
#ifndef RIVULET_HARNESS_PORT_H
#define RIVULET_HARNESS_PORT_H

#include <stdint.h>

typedef enum { PORT_READ, PORT_WRITE } port_mode;

/** Opens a file of the working folder; returns its handle. */
intptr_t port_open(const char *path, port_mode mode);

/** Reads up to `bytes` bytes and returns how many there were; fewer only at the end of the file. */
uint32_t port_read(intptr_t file, void *data, uint32_t bytes);

/** Writes all of `bytes` bytes. */
void port_write(intptr_t file, const void *data, uint32_t bytes);

void port_close(intptr_t file);

/** Fills the free stack with a pattern, and remembers where the caller's stack ends. */
void port_stack_paint(void);

/** Bytes of stack used since port_stack_paint below its caller's frame; 0 where the port cannot tell. */
uint32_t port_stack_used(void);

/** Prints `message` and ends the program as a failure. */
_Noreturn void port_fail(const char *message);

/** Ends the program as a success. */
_Noreturn void port_exit(void);

#endif
