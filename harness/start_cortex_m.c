/* Start-up for Cortex-M: vector table, memory initialisation, coprocessors, faults, semihosting. */
#include "semihosting.h"

extern uint32_t __stack_top[], __data_start[], __data_end[], __data_load[], __bss_start[], __bss_end[];
int main(void);

/* The operation number and the argument block are where the procedure call standard puts them, r0 and r1, and so is
 * the result. */
__attribute__((naked, noinline)) intptr_t semihosting_call(uintptr_t operation __attribute__((unused)),
                                                           const void *argument __attribute__((unused))) {
  __asm__ volatile("bkpt 0xAB\n bx lr");
}

/* The frame holds r0-r3, r12, lr, pc, xpsr as stacked by the processor. */
__attribute__((used)) _Noreturn static void report_fault(const uint32_t *frame) {
#if __ARM_ARCH >= 7
  const uint32_t configurable_fault_status = *(const volatile uint32_t *)0xE000ED28u;
#else
  const uint32_t configurable_fault_status = 0; /* ARMv6-M has no such register */
#endif
  semihosting_fault(configurable_fault_status, frame[6]);
}

__attribute__((naked)) static void fault(void) { __asm__ volatile("mov r0, sp\n bl report_fault"); }

_Noreturn void _start(void);
_Noreturn void _start(void) {
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
  /* CPACR: full access to CP10 and CP11, the floating-point and vector unit. */
  *(volatile uint32_t *)0xE000ED88u |= 0xFu << 20;
  __asm__ volatile("dsb\n isb");
#endif
  const uint32_t *from = __data_load;
  for (uint32_t *to = __data_start; to < __data_end;) *to++ = *from++;
  for (uint32_t *to = __bss_start; to < __bss_end;) *to++ = 0;
  main();
  for (;;) {
  }
}

/* Entries 3 to 15 are faults and system exceptions; none of them is expected. */
__attribute__((section(".boot"), used)) static const uintptr_t vectors[16] = {
    (uintptr_t)__stack_top, (uintptr_t)_start, (uintptr_t)fault, (uintptr_t)fault, (uintptr_t)fault, (uintptr_t)fault,
    (uintptr_t)fault,       (uintptr_t)fault, (uintptr_t)fault, (uintptr_t)fault, (uintptr_t)fault, (uintptr_t)fault,
    (uintptr_t)fault,       (uintptr_t)fault, (uintptr_t)fault, (uintptr_t)fault};
