/* Between the port and the start-up code of an architecture. */
#ifndef RIVULET_HARNESS_SEMIHOSTING_H
#define RIVULET_HARNESS_SEMIHOSTING_H

#include <stdint.h>

/** One semihosting call (Arm IHI 0100, "Semihosting for AArch32 and AArch64"; RISC-V uses the same numbers). */
intptr_t semihosting_call(uintptr_t operation, const void *argument);

/** Reports a processor fault (a register that says why, and where) and ends the program. */
_Noreturn void semihosting_fault(uint32_t cause, uint32_t address);

#endif
