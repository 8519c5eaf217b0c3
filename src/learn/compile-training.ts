/** From a model and a scheme to the program of a training step, planned for a target. */
import { fail } from '../core/diagnostics.ts';
import type { KernelChoice } from '../core/isa.ts';
import { LIMITS } from '../core/limits.ts';
import type { Graph } from '../ir/types.ts';
import { lower } from '../lower/lower.ts';
import { runPasses } from '../passes/pipeline.ts';
import { removeConstantChannels } from '../passes/remove-constant-channels.ts';
import { type Plan, plan } from '../plan/plan.ts';
import { takeRoom } from '../plan/room.ts';
import { requirePlannable } from '../plan/work.ts';
import type { Program } from '../program/types.ts';
import { pushRows } from '../schedule/push.ts';
import { stream } from '../schedule/stream.ts';
import { fingerprintOf } from './fingerprint.ts';
import type { Scheme } from './scheme.ts';
import { type TrainingGraph, trainingGraph } from './training-graph.ts';

export interface TrainingOptions {
  readonly scheme: Scheme;
  readonly kernels: KernelChoice;
  /** rows: the application pushes the image row by row; the frozen layers stream it. Default rows. */
  readonly inputMode?: 'resident' | 'rows';
  /** whole: every layer completes before the next; stream: the inference flows by rows. Default stream. */
  readonly schedule?: 'whole' | 'stream';
  /** Of the stochastic rounding. Default 1. */
  readonly seed?: number;
}

export interface TrainingProgram {
  readonly training: TrainingGraph;
  readonly program: Program;
  readonly plan: Plan;
}

/**
 * The passes of an inference, but for channels that are constant: what a bias makes constant, training may change.
 * @param imported as the model says
 */
export function prepareForTraining(imported: Graph): Graph {
  return runPasses(imported, 'int8', [removeConstantChannels.name]);
}

/**
 * The program of a training step, whole tensors in the order of the graph: nothing is streamed or placed.
 * @throws RivuletError RV2006, RV5001, RV5002: see `compileTraining`
 */
export function lowerTraining(
  model: Graph,
  { scheme, kernels, seed = 1 }: TrainingOptions,
): { training: TrainingGraph; lowered: Program } {
  const training = trainingGraph(model, scheme, seed);
  const classes = training.graph.values.get(training.graph.outputs[0]!)!.shape.at(-1)!;
  const lowered = {
    ...lower(training.graph, kernels),
    training: { classes, batch: scheme.batch, fingerprint: fingerprintOf(training, scheme) },
  };
  requirePlannable(lowered, LIMITS.trainingPlacements);
  return { training, lowered };
}

/**
 * @param model after `prepareForTraining`
 * @throws RivuletError RV2006 (planning would take too long), RV5001 (the scheme does not fit the model), RV5002 (the model
 * cannot be trained so)
 */
export function compileTraining(model: Graph, options: TrainingOptions): TrainingProgram {
  const { inputMode = 'rows', schedule = 'stream' } = options;
  if (inputMode === 'rows' && schedule === 'whole') {
    fail('RV3001', 'rows are pushed into a stream, the schedule cannot be whole', {
      origin: '--schedule, --input-mode rows',
    });
  }
  const { training, lowered } = lowerTraining(model, options);
  if (schedule === 'whole') return { training, ...takeRoom(lowered, plan(lowered)) };
  const streamed = stream(inputMode === 'rows' ? pushRows(lowered) : lowered);
  return { training, ...takeRoom(streamed.program, streamed.plan) };
}
