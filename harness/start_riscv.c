/* Start-up for RV32 in machine mode: registers, memory initialisation, traps, semihosting. */
#include "semihosting.h"

extern uint32_t __data_start[], __data_end[], __data_load[], __bss_start[], __bss_end[];
int main(void);

/* A trap ends the program: it may use any register. */
__asm__(".pushsection .boot, \"ax\"\n"
        ".option push\n"
        ".option arch, +zicsr\n"
        ".globl _start\n"
        "_start:\n"
        "  .option push\n"
        "  .option norelax\n"
        "  la gp, __global_pointer$\n"
        "  .option pop\n"
        "  la sp, __stack_top\n"
        "  la t0, trap\n"
        "  csrw mtvec, t0\n"
        "  j reset\n"
        ".balign 4\n"
        "trap:\n"
        "  csrr a0, mcause\n"
        "  csrr a1, mepc\n"
        "  tail semihosting_fault\n"
        ".option pop\n"
        ".popsection\n");

/* The debugger knows the call by the three uncompressed instructions in a row, which must not straddle a page. The
 * operation number, the argument block and the result are in a0 and a1 already. */
__asm__(".pushsection .text.semihosting_call, \"ax\"\n"
        ".globl semihosting_call\n"
        ".balign 16\n"
        "semihosting_call:\n"
        "  .option push\n"
        "  .option norvc\n"
        "  slli x0, x0, 0x1f\n"
        "  ebreak\n"
        "  srai x0, x0, 7\n"
        "  .option pop\n"
        "  ret\n"
        ".popsection\n");

__attribute__((used)) _Noreturn static void reset(void) {
  const uint32_t *from = __data_load;
  for (uint32_t *to = __data_start; to < __data_end;) *to++ = *from++;
  for (uint32_t *to = __bss_start; to < __bss_end;) *to++ = 0;
  main();
  for (;;) {
  }
}
