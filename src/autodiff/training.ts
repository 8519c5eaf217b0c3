/** A graph that trains itself: forward, backward and update in one. */
import { fail } from '../core/diagnostics.ts';
import { GraphBuilder } from '../ir/builder.ts';
import { elementCount, type Graph, requireValue, type Shape, type Value, type ValueId } from '../ir/types.ts';
import { definitionOf } from '../ops/view.ts';
import type { Domain, Emitter } from './domain.ts';
import { FLOAT_DOMAIN } from './float-rules.ts';
import { float } from './float-steps.ts';
import { differentiate } from './reverse.ts';

/** How a gradient changes a parameter. */
export type Optimizer =
  /**
   * With slope = gradient + decay * w: velocity = momentum * velocity + slope; w -= rate * velocity, or by Nesterov
   * w -= rate * (slope + momentum * velocity). Without momentum: plain descent.
   */
  | {
      readonly kind: 'sgd';
      readonly momentum?: number;
      readonly nesterov?: boolean;
      readonly decay?: number;
      /** weights: only what has more than one dimension decays, neither biases nor gamma and beta. Default all. */
      readonly decayed?: 'all' | 'weights';
    }
  /** Kingma and Ba, 2015; decay is decoupled. */
  | {
      readonly kind: 'adam';
      readonly beta1?: number;
      readonly beta2?: number;
      readonly epsilon?: number;
      readonly decay?: number;
    };

export interface TrainingOptions {
  readonly optimizer: Optimizer;
  /** Names of the states to train; default all that no operator of the graph changes. */
  readonly parameters?: readonly string[];
  readonly domain?: Domain;
}

/** The input that takes the learning rate, float32 [1]. */
export const LEARNING_RATE = 'learning_rate';

/**
 * `graph` with one step of training behind it: gradients of `loss` (the name of an output with one element) with respect to
 * the parameters, each of which is updated as soon as its gradient exists. Inputs are those of `graph` and the learning
 * rate, outputs those of `graph` and under `NAME/step` the squared length of each parameter's gradient; where the
 * training has diverged these and the loss are not finite. Memory of the optimizer are states `NAME/velocity`, or
 * `NAME/first`, `/second` and `/powers`.
 * @throws RV2008 where there is no gradient, RV9005 for a name that does not exist
 */
export function trainingGraph(graph: Graph, loss: string, options: TrainingOptions): Graph {
  const { graph: withRate, rate } = addLearningRate(graph);
  const parameters = parametersOf(graph, options.parameters);
  const steps: ValueId[] = [];
  const builder = differentiate(
    withRate,
    outputNamed(graph, loss).id,
    parameters.map(({ id }) => id),
    options.domain ?? FLOAT_DOMAIN,
    (id, gradient, emitter) =>
      steps.push(emitUpdate(emitter, requireValue(graph, id), gradient, rate, options.optimizer)),
  );
  return builder.build([...graph.outputs, ...steps]);
}

/**
 * `graph` with gradients behind it: of the output named `loss` with respect to the named values, which are its only further
 * outputs, in that order.
 * @throws as trainingGraph
 */
export function gradientGraph(
  graph: Graph,
  loss: string,
  wanted: readonly string[],
  domain: Domain = FLOAT_DOMAIN,
): Graph {
  const ids = wanted.map((name) => valueNamed(graph, name).id);
  const gradients = new Map<ValueId, ValueId>();
  const builder = differentiate(graph, outputNamed(graph, loss).id, ids, domain, (id, gradient) => {
    gradients.set(id, gradient);
  });
  return builder.build([...graph.outputs, ...ids.map((id) => gradients.get(id)!)]);
}

function addLearningRate(graph: Graph): { readonly graph: Graph; readonly rate: ValueId } {
  const builder = GraphBuilder.from(graph);
  for (const node of graph.nodes) builder.push(node);
  const rate = builder.input(LEARNING_RATE, float([1]));
  return { graph: builder.build(graph.outputs), rate };
}

function emitUpdate(
  emitter: Emitter,
  { id, name, shape }: Value,
  gradient: ValueId,
  rate: ValueId,
  optimizer: Optimizer,
): ValueId {
  const memory = (suffix: string, of: Shape): ValueId =>
    emitter.state(`${name}/${suffix}`, float(of), new Float32Array(elementCount(of)));
  const result = `${name}/step`;
  if (optimizer.kind === 'sgd') {
    const { momentum = 0, nesterov = false, decayed = 'all' } = optimizer;
    const decay = decayed === 'all' || shape.length > 1 ? (optimizer.decay ?? 0) : 0;
    const ins = [id, memory('velocity', shape), gradient, rate];
    return emitter.emit('sgd_update', { momentum, decay, nesterov }, ins, float([1]), result);
  }
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, decay = 0 } = optimizer;
  const ins = [id, memory('first', shape), memory('second', shape), memory('powers', [2]), gradient, rate];
  return emitter.emit('adam_update', { beta1, beta2, epsilon, decay }, ins, float([1]), result);
}

/** The states of these names, or all float32 states that no operator changes. */
function parametersOf(graph: Graph, names: readonly string[] | undefined): Value[] {
  if (names !== undefined) return names.map((name) => valueNamed(graph, name));
  const changed = new Set(
    graph.nodes.flatMap((node) => (definitionOf(node).mutates ?? []).map((operand) => node.ins[operand])),
  );
  return [...graph.values.values()].filter(({ id, role }) => role === 'state' && !changed.has(id));
}

function valueNamed(graph: Graph, name: string): Value {
  const value = [...graph.values.values()].find((candidate) => candidate.name === name);
  return value ?? fail('RV9005', `${graph.name} has no value "${name}"`);
}

function outputNamed(graph: Graph, name: string): Value {
  const value = valueNamed(graph, name);
  if (graph.outputs.includes(value.id) && elementCount(value.shape) === 1) return value;
  return fail('RV9005', `"${name}" is not an output with one element`);
}
