import { detectToolchains } from '../../src/run/toolchain.ts';
import { findTarget } from '../../src/targets/index.ts';

const { tools } = await detectToolchains();

/** Whether firmware for `core` can be built and run here. */
export function canRun(core: string): boolean {
  const { toolchain, machines } = findTarget(core).core;
  const compiler = { host: tools.cc, arm: tools['arm-gcc'], riscv: tools['riscv-gcc'] }[toolchain];
  return compiler.available && machines.every((machine) => tools[machine.emulator].available);
}

export function hasCompiler(name: 'gcc' | 'clang'): boolean {
  return tools[name].available;
}
