/** The whole way from the bytes of a model to the files of a firmware project. Pure: no file system, no clock. */
export type { Schedule } from './choose-schedule.ts';

import { chooseSchedule, parseSchedule, type Schedule } from './choose-schedule.ts';
import type { Diagnostic } from './core/diagnostics.ts';
import { fail } from './core/diagnostics.ts';
import type { Optimize } from './core/isa.ts';
import { identifierFrom, requireIdentifier } from './emit/names.ts';
import { emitProject, type Project } from './emit/project.ts';
import { importTflite } from './import/tflite.ts';
import type { Graph } from './ir/types.ts';
import { type Io, PASSES, runPasses } from './passes/pipeline.ts';
import type { Plan } from './plan/plan.ts';
import type { Program } from './program/types.ts';
import { type CompileReport, compileReport } from './report/compile-report.ts';
import { findTarget, type Target } from './targets/index.ts';
import { VERSION } from './version.ts';

const DEFAULT_SCHEDULE = { resident: 'whole', rows: 'stream' } as const;

export type InputMode = (typeof INPUT_MODES)[number];

const INPUT_MODES = ['resident', 'rows'] as const;

export interface CompileOptions {
  /** The model's file name; names the project unless `name` does, and appears in diagnostics. Default `model`. */
  readonly file?: string;
  /** The model's name in C. */
  readonly name?: string;
  /** A core or board, see `TARGETS`. Default `host`, which sets no limits. */
  readonly target?: string;
  /** int8 (default): boundary QUANTIZE and DEQUANTIZE are stripped; float: they are kept. */
  readonly io?: Io;
  /** speed (default): kernels specialised per geometry; size: shared kernels with parameters in flash. */
  readonly optimize?: Optimize;
  /**
   * whole (default): each operator completes before the next begins; stream: operators take turns row by row, for the
   * least SRAM; patch:PxP@N: the first N operators in P x P tiles, halos computed again; auto: the fastest of whole,
   * stream, and stream with `maxExtraMacs`, that fits the target's SRAM or `maxSram`.
   */
  readonly schedule?: Schedule;
  /**
   * resident (default): the whole input lies in the arena; rows: the application pushes it row by row and the frame is
   * never stored. Rows are streamed, so the schedule must not be `whole`.
   */
  readonly inputMode?: InputMode;
  /** Bytes of SRAM that auto aims at, instead of the target's. */
  readonly maxSram?: number;
  /** Percent of multiply-accumulates that streaming may add to need less SRAM. Default 0. */
  readonly maxExtraMacs?: number;
  /** Names of passes to leave out; the result is the same bytes from a larger firmware. */
  readonly skipPasses?: readonly string[];
}

export interface Compilation {
  /** The model's name in C. */
  readonly name: string;
  readonly target: Target;
  /** As imported: what the model says. */
  readonly imported: Graph;
  /** After all passes: what the program was made from. */
  readonly graph: Graph;
  readonly program: Program;
  readonly plan: Plan;
  readonly optimize: Optimize;
  /** File name -> text of the C project. */
  readonly project: Project;
  readonly report: CompileReport;
  readonly warnings: readonly Diagnostic[];
}

/**
 * Compiles a TFLite model.
 * @param bytes the contents of the .tflite file
 * @throws RivuletError with every problem of the model or the options
 */
export function compile(bytes: Uint8Array, options: CompileOptions = {}): Compilation {
  const file = options.file ?? 'model';
  const name = requireIdentifier(options.name ?? identifierFrom(file.replace(/\.\w+$/, '')));
  const target = findTarget(options.target ?? 'host');
  const optimize = requireOneOf('--optimize', options.optimize ?? 'speed', ['speed', 'size']);
  const io = requireOneOf('--io', options.io ?? 'int8', ['int8', 'float']);
  const inputMode = requireOneOf('--input-mode', options.inputMode ?? 'resident', INPUT_MODES);
  const schedule = parseSchedule(options.schedule ?? DEFAULT_SCHEDULE[inputMode]);
  const { maxExtraMacs = 0, maxSram = target.sram } = options;
  if (inputMode === 'rows' && (schedule === 'whole' || typeof schedule === 'object')) {
    fail('RV3001', 'rows are pushed into a stream, the schedule cannot be whole or patches', {
      origin: '--schedule, --input-mode rows',
      hint: 'use --schedule stream, or --input-mode resident',
    });
  }
  for (const [option, value] of Object.entries({ '--max-sram': maxSram, '--max-extra-macs': maxExtraMacs })) {
    if (value !== undefined && !(value >= 0)) fail('RV3001', `${value} is not possible`, { origin: option });
  }
  for (const pass of options.skipPasses ?? []) {
    requireOneOf(
      'skipPasses',
      pass,
      PASSES.map((p) => p.name),
    );
  }
  const { graph: imported, warnings } = importTflite(bytes, file);
  const optimized = runPasses(imported, io, options.skipPasses);
  const {
    graph,
    program,
    plan: planned,
  } = chooseSchedule(optimized, schedule, {
    pushed: inputMode === 'rows',
    maxExtraMacs,
    maxSram,
    kernels: { isas: target.core.isas, optimize },
  });
  const provenance = `Made by Rivulet ${VERSION} from ${file}: --name ${name} --io ${io} --optimize ${optimize} --schedule ${options.schedule ?? DEFAULT_SCHEDULE[inputMode]} --input-mode ${inputMode}${maxExtraMacs > 0 ? ` --max-extra-macs ${maxExtraMacs}` : ''}`;
  const project = emitProject(program, planned, { name, optimize, provenance });
  const report = compileReport(program, planned, { target, optimize, maxSram });
  return { name, target, imported, graph, program, plan: planned, optimize, project, report, warnings };
}

function requireOneOf<T extends string>(option: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((candidate) => candidate === value);
  return (
    found ??
    fail('RV3001', `"${value}" is not possible`, { origin: option, hint: `one of ${allowed.join(', ')}` })
  );
}
