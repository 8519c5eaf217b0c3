import type { Command } from 'commander';
import { describeOutputs } from '../api.ts';
import { fail } from '../core/diagnostics.ts';
import { requireEmulatedCore } from '../run/executors.ts';
import { type ProfileReport, profile } from '../run/profile-report.ts';
import {
  addInputOptions,
  addModelOptions,
  compileModel,
  MODEL_HELP,
  type ModelOptions,
  readSamples,
  type SourceOptions,
} from './model.ts';
import { bytes, count, EXIT, heading, type Result, table, withUnit } from './output.ts';

export function addProfile(program: Command, deliver: (result: Result) => void): void {
  addInputOptions(addModelOptions(program.command('profile'), 'core or board to measure (a board: its core)'))
    .argument('<model>', MODEL_HELP)
    .summary('instructions and memory of a real build under QEMU')
    .description(
      'Cross-compiles the firmware, runs one inference on an emulated machine and counts; with --stream-axis time, one window that follows another. Without --input it takes the pattern. Cycles and latency are estimates.',
    )
    .action(async (path: string, options: ModelOptions & SourceOptions) => {
      const { target } = options;
      if (target === undefined) {
        return fail('RV3001', 'no target is given', {
          origin: '--target',
          hint: 'for example --target cortex-m4',
        });
      }
      requireEmulatedCore(target);
      const compilation = await compileModel(path, options);
      const { report, outputs } = await profile(compilation, await readSamples(compilation, options));
      const { warnings } = compilation;
      deliver({
        document: {
          target: compilation.target.name,
          ...report,
          outputs: describeOutputs(compilation, outputs),
          warnings,
        },
        text: describe(compilation.name, report),
        notes: warnings,
        exitCode: EXIT.ok,
      });
    });
}

function describe(name: string, report: ProfileReport): string {
  const { sram, flash, layers, instructions } = report;
  const sramTotal = sram.data + sram.bss + sram.stack;
  const flashTotal = flash.text + flash.rodata + flash.data;
  const latency = report.latencyEstimateMs.toPrecision(3);
  return [
    heading(`${name} on ${report.core} (${report.machine})`),
    `instructions  ${count(instructions)}`,
    `estimate      ${count(report.cyclesEstimate)} cycles, ${Number(latency)} ms at ${withUnit(report.clockHz, 'Hz')}`,
    `SRAM          ${bytes(sramTotal)} (data ${count(sram.data)}, bss ${count(sram.bss)}, stack ${count(sram.stack)})`,
    `flash         ${bytes(flashTotal)} (text ${count(flash.text)}, rodata ${count(flash.rodata)}, data ${count(flash.data)})`,
    '',
    table(
      [
        { title: '#', right: true },
        { title: 'operator' },
        { title: 'MACs', right: true },
        { title: 'instructions', right: true },
        { title: 'share', right: true },
        { title: 'per MAC', right: true },
        { title: 'name', limit: 48 },
      ],
      layers.map((layer) => [
        String(layer.index),
        layer.op,
        count(layer.macs),
        count(layer.instructions),
        `${((100 * layer.instructions) / instructions).toFixed(1)} %`,
        layer.macs === 0 ? '-' : (layer.instructions / layer.macs).toFixed(2),
        layer.name,
      ]),
    ),
    '',
  ].join('\n');
}
