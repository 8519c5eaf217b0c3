import type { Compilation } from '../../src/compile.ts';
import type { FirmwareRequest } from '../../src/run/firmware.ts';
import { detectToolchains } from '../../src/run/toolchain.ts';
import { findTarget } from '../../src/targets/index.ts';

/** What building a compilation's firmware for `core` takes. */
export function firmwareRequest(compilation: Compilation, core: string): FirmwareRequest {
  const { name, program, project, optimize } = compilation;
  return {
    files: project,
    name,
    core,
    optimize,
    inputBytes: program.inputs.map((port) => port.bytes),
    outputBytes: program.outputs.map((port) => port.bytes),
    layers: program.calls.length,
  };
}

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
