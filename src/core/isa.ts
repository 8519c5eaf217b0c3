/**
 * Instruction-set classes that kernels are written for. portable: plain C. scalar: plain C made for the
 * registers of cores without SIMD instructions (Cortex-M0+, M3, RV32IMAC). simd: GNU vector extensions, for computers and
 * WebAssembly. dsp: the Armv7E-M DSP extension (Cortex-M4, M7, M33). mve: Armv8.1-M Helium (Cortex-M55).
 */
export type Isa = 'portable' | 'scalar' | 'simd' | 'dsp' | 'mve';

/** What every core can execute. */
export const PORTABLE: readonly Isa[] = ['portable'];

/** What code and kernels are chosen for: fewest instructions, or least flash. */
export type Optimize = 'speed' | 'size';

/** What decides which kernels a program gets. */
export interface KernelChoice {
  /** The kernel sets that the core can execute. */
  readonly isas: readonly Isa[];
  readonly optimize: Optimize;
}

export const PORTABLE_KERNELS: KernelChoice = { isas: PORTABLE, optimize: 'speed' };
