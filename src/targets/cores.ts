/**
 * The processors Rivulet compiles for: how to compile for them, where their code can be run without hardware, and a coarse
 * model of their speed.
 */
import type { Isa } from '../core/isa.ts';

/** `host` is the C compiler of the computer Rivulet runs on. */
export type ToolchainName = 'host' | 'arm' | 'riscv';

/** `length` bytes from address `origin`. */
export interface MemoryRegion {
  readonly origin: number;
  readonly length: number;
}

/** A machine that an emulator offers: code and constants go to `flash`, data, arena and stack to `ram`. */
export interface Machine {
  readonly emulator: 'qemu-system-arm' | 'qemu-system-riscv32';
  /** The emulator's name for it. */
  readonly name: string;
  readonly flash: MemoryRegion;
  readonly ram: MemoryRegion;
  /** Where the vector table must lie if not at the start of `flash`. */
  readonly boot?: MemoryRegion;
  /** Further arguments of the emulator. */
  readonly options?: readonly string[];
}

export interface Core {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly toolchain: ToolchainName;
  /** Compiler flags that select the instruction set and the calling convention. */
  readonly flags: readonly string[];
  /** The kernel sets it can execute. */
  readonly isas: readonly Isa[];
  /** Machines to run on, preferred first; the first whose memory holds the firmware is taken. */
  readonly machines: readonly Machine[];
  /** A typical clock, for estimates where no board is named. */
  readonly clockHz: number;
  /**
   * Mean cycles an instruction of an int8 kernel takes, code and data in memory without wait states. A MODEL, from the
   * published instruction timings weighted with the mix of a matrix kernel's inner loop (about a quarter loads, half
   * multiply-accumulates, a tenth branches): loads 2 cycles (1 when pipelined), taken branches 2 to 3, and on M7 and
   * M55 two instructions or overlapped beats a cycle. Real boards differ by flash wait states and caches.
   */
  readonly cyclesPerInstruction: number;
}

const KiB = 1024;
const MiB = 1024 * KiB;

/** The MPS2 boards have 4 MiB of static RAM at each of the two addresses. */
function mps2(name: string, flash = 0x00000000, ram = 0x20000000): Machine {
  return {
    emulator: 'qemu-system-arm',
    name,
    flash: { origin: flash, length: 4 * MiB },
    ram: { origin: ram, length: 4 * MiB },
  };
}

const MICROBIT: Machine = {
  emulator: 'qemu-system-arm',
  name: 'microbit',
  flash: { origin: 0x00000000, length: 256 * KiB },
  ram: { origin: 0x20000000, length: 16 * KiB },
};

/** Starts from the tightly coupled memory at 0; everything else in the large memories of the board. */
const MPS3_AN547: Machine = {
  emulator: 'qemu-system-arm',
  name: 'mps3-an547',
  boot: { origin: 0x00000000, length: 512 * KiB },
  flash: { origin: 0x60000000, length: 16 * MiB },
  ram: { origin: 0x21000000, length: 4 * MiB },
};

const RISCV_VIRT: Machine = {
  emulator: 'qemu-system-riscv32',
  name: 'virt',
  flash: { origin: 0x80000000, length: 16 * MiB },
  ram: { origin: 0x81000000, length: 16 * MiB },
  options: ['-bios', 'none'],
};

export const CORES: readonly Core[] = [
  {
    name: 'host',
    aliases: ['native', 'pc'],
    toolchain: 'host',
    flags: [],
    isas: ['simd', 'portable'],
    machines: [],
    clockHz: 3_000_000_000,
    cyclesPerInstruction: 0.4,
  },
  {
    name: 'cortex-m0plus',
    aliases: ['m0plus', 'm0+', 'cortex-m0+', 'm0', 'cortex-m0'],
    toolchain: 'arm',
    flags: ['-mthumb', '-mcpu=cortex-m0plus', '-mfloat-abi=soft'],
    isas: ['scalar', 'portable'],
    // Armv6-M code is a subset of Armv7-M: what does not fit a micro:bit runs on the M3.
    machines: [MICROBIT, mps2('mps2-an385')],
    clockHz: 48_000_000,
    cyclesPerInstruction: 1.35,
  },
  {
    name: 'cortex-m3',
    aliases: ['m3'],
    toolchain: 'arm',
    flags: ['-mthumb', '-mcpu=cortex-m3', '-mfloat-abi=soft'],
    isas: ['scalar', 'portable'],
    machines: [mps2('mps2-an385')],
    clockHz: 72_000_000,
    cyclesPerInstruction: 1.4,
  },
  {
    name: 'cortex-m4',
    aliases: ['m4', 'm4f', 'cortex-m4f'],
    toolchain: 'arm',
    flags: ['-mthumb', '-mcpu=cortex-m4', '-mfpu=fpv4-sp-d16', '-mfloat-abi=hard'],
    isas: ['dsp', 'portable'],
    machines: [mps2('mps2-an386')],
    clockHz: 100_000_000,
    cyclesPerInstruction: 1.2,
  },
  {
    name: 'cortex-m7',
    aliases: ['m7'],
    toolchain: 'arm',
    flags: ['-mthumb', '-mcpu=cortex-m7', '-mfpu=fpv5-sp-d16', '-mfloat-abi=hard'],
    isas: ['dsp', 'portable'],
    machines: [mps2('mps2-an500')],
    clockHz: 216_000_000,
    cyclesPerInstruction: 0.7,
  },
  {
    name: 'cortex-m33',
    aliases: ['m33'],
    toolchain: 'arm',
    flags: ['-mthumb', '-mcpu=cortex-m33', '-mfpu=fpv5-sp-d16', '-mfloat-abi=hard'],
    isas: ['dsp', 'portable'],
    // The Secure aliases: the core starts in the Secure state.
    machines: [mps2('mps2-an505', 0x10000000, 0x38000000)],
    clockHz: 128_000_000,
    cyclesPerInstruction: 1.15,
  },
  {
    name: 'cortex-m55',
    aliases: ['m55'],
    toolchain: 'arm',
    flags: ['-mthumb', '-mcpu=cortex-m55', '-mfpu=auto', '-mfloat-abi=hard'],
    isas: ['mve', 'dsp', 'portable'],
    machines: [MPS3_AN547],
    clockHz: 160_000_000,
    cyclesPerInstruction: 1.3,
  },
  {
    name: 'rv32imac',
    aliases: ['rv32', 'riscv', 'riscv32', 'rv32imc'],
    toolchain: 'riscv',
    flags: ['-march=rv32imac', '-mabi=ilp32', '-mcmodel=medany'],
    isas: ['scalar', 'portable'],
    machines: [RISCV_VIRT],
    clockHz: 160_000_000,
    cyclesPerInstruction: 1.3,
  },
];

/** Cycles for so many instructions on a core: the model of `cyclesPerInstruction`, an estimate. */
export function cyclesEstimate(core: Core, instructions: number): number {
  return Math.round(instructions * core.cyclesPerInstruction);
}
