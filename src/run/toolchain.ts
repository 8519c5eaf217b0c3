/** Which compilers and emulators this computer has. None is needed to compile a model, only to build and run the result. */
import { fail } from '../core/diagnostics.ts';
import type { Core, ToolchainName } from '../targets/index.ts';
import { execute } from './process.ts';

/** How to find a program, and what provides it on Debian and its descendants. */
interface ToolRule {
  readonly command: string;
  readonly purpose: string;
  readonly packages: readonly string[];
  /** Arguments with which it succeeds only if it is complete, e.g. has its C library. */
  readonly probe?: readonly string[];
}

const TOOL_RULES = {
  cc: { command: 'cc', purpose: 'host C compiler', packages: ['gcc'] },
  gcc: { command: 'gcc', purpose: 'host C compiler', packages: ['gcc'] },
  clang: { command: 'clang', purpose: 'host C compiler', packages: ['clang'] },
  'arm-gcc': {
    command: 'arm-none-eabi-gcc',
    purpose: 'Cortex-M compiler with newlib',
    packages: ['gcc-arm-none-eabi', 'libnewlib-arm-none-eabi'],
    probe: ['-E', '-x', 'c', '-include', 'string.h', '/dev/null'],
  },
  'riscv-gcc': {
    command: 'riscv64-unknown-elf-gcc',
    purpose: 'RISC-V compiler with picolibc',
    packages: ['gcc-riscv64-unknown-elf', 'picolibc-riscv64-unknown-elf'],
    probe: ['--specs=picolibc.specs', '-E', '-x', 'c', '-include', 'string.h', '/dev/null'],
  },
  'qemu-system-arm': {
    command: 'qemu-system-arm',
    purpose: 'Cortex-M emulator',
    packages: ['qemu-system-arm'],
  },
  'qemu-system-riscv32': {
    command: 'qemu-system-riscv32',
    purpose: 'RISC-V emulator',
    packages: ['qemu-system-misc'],
  },
} as const satisfies Record<string, ToolRule>;

export type ToolName = keyof typeof TOOL_RULES;

export interface Tool {
  readonly name: ToolName;
  readonly command: string;
  readonly purpose: string;
  readonly available: boolean;
  /** First line of `--version`; empty if not available. */
  readonly version: string;
  /** Debian packages that provide it. */
  readonly packages: readonly string[];
}

export interface Toolchains {
  readonly tools: Readonly<Record<ToolName, Tool>>;
  readonly missing: readonly Tool[];
  /** How to get what is missing; undefined if nothing is. */
  readonly hint?: string;
}

const COMPILERS: Readonly<Record<ToolchainName, ToolName>> = {
  host: 'cc',
  arm: 'arm-gcc',
  riscv: 'riscv-gcc',
};

async function detectTool(name: ToolName): Promise<Tool> {
  const rule: ToolRule = TOOL_RULES[name];
  const identity = { name, command: rule.command, purpose: rule.purpose, packages: rule.packages };
  const asked = await execute(rule.command, ['--version'], { timeoutMs: 20_000 });
  const complete =
    asked.status === 0 &&
    (rule.probe === undefined ||
      (await execute(rule.command, rule.probe, { timeoutMs: 20_000 })).status === 0);
  return {
    ...identity,
    available: complete,
    version: complete ? (asked.output.split('\n')[0] ?? '').trim() : '',
  };
}

function installHint(tools: readonly Tool[]): string {
  const packages = [...new Set(tools.flatMap((tool) => tool.packages))];
  return `run "npm run toolchain", or install ${packages.join(' ')} (Debian and Ubuntu names)`;
}

async function detectAll(): Promise<Toolchains> {
  const names = Object.keys(TOOL_RULES) as ToolName[];
  const found = await Promise.all(names.map(detectTool));
  const tools = Object.fromEntries(found.map((tool) => [tool.name, tool])) as Record<ToolName, Tool>;
  const missing = found.filter((tool) => !tool.available);
  return missing.length === 0 ? { tools, missing } : { tools, missing, hint: installHint(missing) };
}

let detected: Promise<Toolchains> | undefined;

/** All tools, looked for once in the life of the process. */
export function detectToolchains(): Promise<Toolchains> {
  detected ??= detectAll();
  return detected;
}

/** The tools that building for a core, and running it here, take. */
export function toolsFor(core: Core): readonly ToolName[] {
  const emulators = core.machines.map((machine) => machine.emulator);
  return [...new Set<ToolName>([COMPILERS[core.toolchain], ...emulators])];
}

/** Whether this computer can build for a core and run the result. */
export async function canRun(core: Core): Promise<boolean> {
  const { tools } = await detectToolchains();
  return toolsFor(core).every((name) => tools[name].available);
}

/** The tool, or RV3004 with what to install. */
export async function requireTool(name: ToolName): Promise<Tool> {
  const tool = (await detectToolchains()).tools[name];
  if (tool.available) return tool;
  return fail('RV3004', `there is no ${tool.purpose} here (${tool.command})`, { hint: installHint([tool]) });
}

/** The compiler for a core, or RV3004 with what to install. */
export function requireCompiler(core: Core): Promise<Tool> {
  return requireTool(COMPILERS[core.toolchain]);
}
