/* The harness's port to bare metal: files and exit through semihosting, the stack measured by painting it. */
#include "port.h"
#include "semihosting.h"

enum {
  SYS_OPEN = 0x01,
  SYS_CLOSE = 0x02,
  SYS_WRITE0 = 0x04,
  SYS_WRITE = 0x05,
  SYS_READ = 0x06,
  SYS_EXIT_EXTENDED = 0x20
};
enum { MODE_RB = 1, MODE_WB = 5 };
enum { ADP_STOPPED_APPLICATION_EXIT = 0x20026 };

static const uint32_t PAINT = 0xC5C5C5C5u;

/* From the linker script: the lowest word the stack may use. */
extern uint32_t __stack_limit[];

static uint32_t *caller_stack;

static inline uint32_t *stack_pointer(void) {
  uint32_t *sp;
#if defined(__riscv)
  __asm__ volatile("mv %0, sp" : "=r"(sp));
#else
  __asm__ volatile("mov %0, sp" : "=r"(sp));
#endif
  return sp;
}

static uintptr_t text_length(const char *text) {
  uintptr_t length = 0;
  while (text[length] != '\0') length++;
  return length;
}

static _Noreturn void end(uintptr_t status) {
  const uintptr_t block[2] = {ADP_STOPPED_APPLICATION_EXIT, status};
  for (;;) semihosting_call(SYS_EXIT_EXTENDED, block);
}

intptr_t port_open(const char *path, port_mode mode) {
  const uintptr_t block[3] = {(uintptr_t)path, mode == PORT_READ ? MODE_RB : MODE_WB, text_length(path)};
  const intptr_t file = semihosting_call(SYS_OPEN, block);
  if (file < 0) port_fail("a file of the run cannot be opened");
  return file;
}

uint32_t port_read(intptr_t file, void *data, uint32_t bytes) {
  const uintptr_t block[3] = {(uintptr_t)file, (uintptr_t)data, bytes};
  const intptr_t missing = semihosting_call(SYS_READ, block);
  if (missing < 0) port_fail("a file of the run cannot be read");
  return bytes - (uint32_t)missing;
}

void port_write(intptr_t file, const void *data, uint32_t bytes) {
  const uintptr_t block[3] = {(uintptr_t)file, (uintptr_t)data, bytes};
  if (semihosting_call(SYS_WRITE, block) != 0) port_fail("a file of the run cannot be written");
}

void port_close(intptr_t file) {
  const uintptr_t block[1] = {(uintptr_t)file};
  if (semihosting_call(SYS_CLOSE, block) != 0) port_fail("a file of the run cannot be written");
}

/* The canonical frame address of this function is its caller's stack pointer. What its own frame leaves unpainted
 * counts as used: the depth may be overstated by a few bytes where the model needs next to none, never understated. */
__attribute__((noinline)) void port_stack_paint(void) {
  caller_stack = __builtin_dwarf_cfa();
  uint32_t *const end_of_free = stack_pointer();
  for (volatile uint32_t *word = __stack_limit; word < end_of_free; word++) *word = PAINT;
}

uint32_t port_stack_used(void) {
  const volatile uint32_t *word = __stack_limit;
  while (word < caller_stack && *word == PAINT) word++;
  if (word == __stack_limit) port_fail("the stack overflowed");
  return (uint32_t)((uintptr_t)caller_stack - (uintptr_t)word);
}

_Noreturn void port_fail(const char *message) {
  semihosting_call(SYS_WRITE0, message);
  semihosting_call(SYS_WRITE0, "\n");
  end(1);
}

_Noreturn void port_exit(void) { end(0); }

static void write_hex(uint32_t value) {
  char text[] = "0x........";
  for (uint32_t digit = 9; digit >= 2; digit--, value >>= 4) text[digit] = "0123456789abcdef"[value & 15u];
  semihosting_call(SYS_WRITE0, text);
}

_Noreturn void semihosting_fault(uint32_t cause, uint32_t address) {
  semihosting_call(SYS_WRITE0, "processor fault, cause ");
  write_hex(cause);
  semihosting_call(SYS_WRITE0, " at ");
  write_hex(address);
  port_fail("");
}
