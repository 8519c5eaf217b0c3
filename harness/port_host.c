/* The harness's port to a host with a C library. The stack is not measured: a host's frames say nothing about a
 * microcontroller's. */
#include "port.h"

#include <stdio.h>
#include <stdlib.h>

intptr_t port_open(const char *path, port_mode mode) {
  FILE *const file = fopen(path, mode == PORT_READ ? "rb" : "wb");
  if (file == NULL) port_fail("a file of the run cannot be opened");
  return (intptr_t)file;
}

uint32_t port_read(intptr_t file, void *data, uint32_t bytes) {
  return (uint32_t)fread(data, 1, bytes, (FILE *)file);
}

void port_write(intptr_t file, const void *data, uint32_t bytes) {
  if (fwrite(data, 1, bytes, (FILE *)file) != bytes) port_fail("a file of the run cannot be written");
}

void port_close(intptr_t file) {
  if (fclose((FILE *)file) != 0) port_fail("a file of the run cannot be written");
}

void port_stack_paint(void) {}

uint32_t port_stack_used(void) { return 0; }

_Noreturn void port_fail(const char *message) {
  fprintf(stderr, "%s\n", message);
  exit(EXIT_FAILURE);
}

_Noreturn void port_exit(void) { exit(EXIT_SUCCESS); }
