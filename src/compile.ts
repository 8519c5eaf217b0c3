/** The whole way from the bytes of a model to the files of a firmware project. Pure: no file system, no clock. */
export type { Schedule } from './choose-schedule.ts';

import type { FrontEnd } from './audio/front-end.ts';
import { chooseOverTime } from './choose-over-time.ts';
import { chooseSchedule, parseSchedule, type Schedule } from './choose-schedule.ts';
import type { Diagnostic } from './core/diagnostics.ts';
import { fail } from './core/diagnostics.ts';
import type { Optimize } from './core/isa.ts';
import { identifierFrom, requireIdentifier } from './emit/names.ts';
import { emitProject, type Project } from './emit/project.ts';
import { fitFrontEnd } from './fit-front-end.ts';
import { importModel, type ModelBytes } from './import/model.ts';
import type { Graph } from './ir/types.ts';
import { type Io, PASSES, runPasses } from './passes/pipeline.ts';
import type { RemovedChannels } from './passes/removal-log.ts';
import { removeConstantChannels } from './passes/remove-constant-channels.ts';
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
  /**
   * time: the input is a window of frames (its rows) that slides along a stream. The application pushes frames, and every
   * window computes only what the one before has not; the outputs are the same bytes. With `maxSram`, or the target's,
   * less is kept and more computed again where that is what fits. Not with `schedule` or `inputMode`. Default none.
   */
  readonly streamAxis?: 'none' | 'time';
  /** Frames from one window to the next. Default: the product of the strides along time. */
  readonly hop?: number;
  /** Bytes of SRAM that auto aims at, instead of the target's. */
  readonly maxSram?: number;
  /** Percent of multiply-accumulates that streaming may add to need less SRAM. Default 0. */
  readonly maxExtraMacs?: number;
  /**
   * Computes channels that are the same for every input, or that no output depends on, as the model has them. Default
   * false: they are removed. Outputs are the same bytes either way; layers keep their shapes.
   */
  readonly keepConstantChannels?: boolean;
  /** Makes the input of sound: its C is emitted beside the network. Its frames are the rows of the one input. */
  readonly frontEnd?: FrontEnd;
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
 * Compiles a model.
 * @param model the contents of a .tflite file, or of a .json description and its .safetensors file
 * @throws RivuletError with every problem of the model or the options
 */
export function compile(model: ModelBytes, options: CompileOptions = {}): Compilation {
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
  const overTime = requireOneOf('--stream-axis', options.streamAxis ?? 'none', ['none', 'time']) === 'time';
  requireAlone(options, overTime);
  const { graph: imported, warnings } = importModel(model, file);
  const skipped = [
    ...(options.skipPasses ?? []),
    ...(options.keepConstantChannels ? [removeConstantChannels.name] : []),
  ];
  const removed: RemovedChannels[] = [];
  const optimized = runPasses(imported, io, skipped, (channels) => removed.push(channels));
  const kernels = { isas: target.core.isas, optimize };
  const {
    graph,
    program,
    plan: planned,
  } = overTime
    ? chooseOverTime(optimized, options.hop, maxSram, kernels)
    : chooseSchedule(optimized, schedule, {
        pushed: inputMode === 'rows',
        maxExtraMacs,
        maxSram,
        kernels,
        // What was asked for as a limit may be used; a schedule by name is for the least SRAM.
        room: (schedule === 'auto' ? maxSram : options.maxSram) ?? 0,
      });
  const how = overTime
    ? `--stream-axis time --hop ${program.sliding!.hopFrames}`
    : `--schedule ${options.schedule ?? DEFAULT_SCHEDULE[inputMode]} --input-mode ${inputMode}${maxExtraMacs > 0 ? ` --max-extra-macs ${maxExtraMacs}` : ''}`;
  const provenance = `Made by Rivulet ${VERSION} from ${file}: --name ${name} --io ${io} --optimize ${optimize} ${how}${options.keepConstantChannels ? ' --keep-constant-channels' : ''}`;
  const frontEnd = options.frontEnd && fitFrontEnd(options.frontEnd, program);
  const project = emitProject(program, planned, {
    name,
    optimize,
    provenance,
    ...(frontEnd && { frontEnd }),
  });
  const report = compileReport(program, planned, {
    target,
    frontEnd: frontEnd?.tables,
    optimize,
    maxSram,
    removed: removed.map(({ origin: { index, op, name: layer }, ...rest }) => ({
      operator: index,
      op,
      name: layer,
      ...rest,
    })),
  });
  return { name, target, imported, graph, program, plan: planned, optimize, project, report, warnings };
}

/** @throws RivuletError RV3001 for options that have no meaning together */
function requireAlone({ schedule, inputMode, maxExtraMacs, hop }: CompileOptions, overTime: boolean): void {
  if (!overTime && hop !== undefined) {
    fail('RV3001', 'windows hop only along a stream', { origin: '--hop', hint: 'add --stream-axis time' });
  }
  const others = Object.entries({
    '--schedule': schedule,
    '--input-mode': inputMode,
    '--max-extra-macs': maxExtraMacs,
  });
  for (const [option, value] of others) {
    if (!overTime || value === undefined) continue;
    fail('RV3001', `${option} cannot be combined with --stream-axis time`, {
      origin: option,
      hint: 'what is computed when follows from the frames; --max-sram says how much may be kept',
    });
  }
}

function requireOneOf<T extends string>(option: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((candidate) => candidate === value);
  return (
    found ??
    fail('RV3001', `"${value}" is not possible`, { origin: option, hint: `one of ${allowed.join(', ')}` })
  );
}
