import type { Command } from 'commander';
import type { ExecutorName } from '../run/executors.ts';
import { canRun, detectToolchains, type Tool } from '../run/toolchain.ts';
import { TARGETS, type Target } from '../targets/index.ts';
import { addJson } from './model.ts';
import { EXIT, type Result, table, withUnit } from './output.ts';

interface TargetEntry {
  readonly kind: Target['kind'];
  readonly name: string;
  readonly aliases: readonly string[];
  readonly description: string;
  readonly core: string;
  readonly clockHz: number;
  /** Bytes; null: no limit. */
  readonly sram: number | null;
  readonly flash: number | null;
  /** What can execute a firmware for it on this computer, besides hardware. */
  readonly executors: readonly ExecutorName[];
}

export function addTargets(program: Command, deliver: (result: Result) => void): void {
  addJson(program.command('targets'))
    .summary('cores and boards, and what can run here')
    .description('Lists what --target takes, and which executors this computer has for it.')
    .action(async () => {
      const { tools, hint } = await detectToolchains();
      const targets = await Promise.all(TARGETS.map(entryOf));
      deliver({
        document: { targets, tools: Object.values(tools), hint: hint ?? null },
        text: describe(targets, Object.values(tools), hint),
        exitCode: EXIT.ok,
      });
    });
}

async function entryOf(target: Target): Promise<TargetEntry> {
  const { kind, name, aliases, description, core, clockHz, sram = null, flash = null } = target;
  const builds: ExecutorName[] = (await canRun(core)) ? [core.machines.length > 0 ? 'qemu' : 'native'] : [];
  const executors: ExecutorName[] = ['reference', 'wasm', ...builds];
  return { kind, name, aliases, description, core: core.name, clockHz, sram, flash, executors };
}

function describe(targets: readonly TargetEntry[], tools: readonly Tool[], hint: string | undefined): string {
  const size = (bytes: number | null) => (bytes === null ? '-' : `${bytes / 1024} KiB`);
  return [
    table(
      [
        { title: 'target' },
        { title: 'core' },
        { title: 'clock', right: true },
        { title: 'SRAM', right: true },
        { title: 'flash', right: true },
        { title: 'executors here' },
        { title: 'description' },
      ],
      targets.map((target) => [
        target.name,
        target.core,
        target.name === 'host' ? '-' : withUnit(target.clockHz, 'Hz'),
        size(target.sram),
        size(target.flash),
        target.executors.join(', '),
        target.description,
      ]),
    ),
    '',
    table(
      [{ title: 'tool' }, { title: 'purpose' }, { title: 'version', limit: 100 }],
      tools.map((tool) => [tool.command, tool.purpose, tool.available ? tool.version : 'missing']),
    ),
    ...(hint === undefined ? [] : ['', `hint: ${hint}`]),
    '',
  ].join('\n');
}
