/** From a trained network to one that only computes: batch normalisation is folded into the convolutions before it. */
import { float } from '../autodiff/float-steps.ts';
import { fail } from '../core/diagnostics.ts';
import { GraphBuilder } from '../ir/builder.ts';
import type { Graph, Node, NodeOf, ValueId } from '../ir/types.ts';
import type { States, Trainable } from './evaluation.ts';

/**
 * The float32 graph of a trained network: input `image` [batch, height, width, channels], output `logits` [batch, classes],
 * all weights constants, no operator of training.
 * @param states parameters and moments
 */
export function inferenceGraph(network: Trainable, states: States, batch = 1): Graph {
  return new Folding(network({ batch, mode: 'run', seed: null }), states).run();
}

class Folding {
  private readonly graph: Graph;
  private readonly states: States;
  private readonly builder: GraphBuilder;
  /** Values of the result by those of the graph. */
  private readonly made = new Map<ValueId, ValueId>();
  private readonly producers: ReadonlyMap<ValueId, Node>;

  constructor(graph: Graph, states: States) {
    this.graph = graph;
    this.states = states;
    this.builder = new GraphBuilder(graph.name);
    this.producers = new Map(graph.nodes.flatMap((node) => node.outs.map((id) => [id, node] as const)));
  }

  run(): Graph {
    const { nodes, outputs } = this.graph;
    const normalised = new Set(nodes.flatMap(({ op, ins }) => (op === 'batch_norm' ? [ins[0]] : [])));
    for (const node of nodes) {
      if (node.op === 'softmax_cross_entropy' || normalised.has(node.outs[0])) continue;
      if (node.op === 'batch_norm') this.fold(node as NodeOf<'batch_norm'>);
      else
        this.emit(
          node,
          node.ins.map((id) => (id === null ? null : this.take(id))),
          node.outs[0]!,
        );
    }
    const logits = outputs.find((id) => this.graph.values.get(id)!.name === 'logits');
    return this.builder.build([this.take(logits ?? fail('RV9005', 'the network has no logits'))]);
  }

  /** The convolution before `norm` with other weights, and a bias: y = (x - mean) * factor + beta. */
  private fold(norm: NodeOf<'batch_norm'>): void {
    const [x, moments, gamma, beta] = norm.ins.map((id) => id!) as [ValueId, ValueId, ValueId, ValueId];
    const convolution = this.producers.get(x);
    if (convolution?.op !== 'conv2d' && convolution?.op !== 'depthwise_conv2d') {
      fail('RV9005', 'batch normalisation behind what is no convolution');
    }
    const scale = this.stateOf(gamma);
    const channels = scale.length;
    const [means, variances] = [0, channels].map((from) =>
      this.stateOf(moments).subarray(from, from + channels),
    );
    const factors = scale.map((g, c) => g / Math.sqrt(variances![c]! + norm.attrs.epsilon));
    const bias = this.stateOf(beta).map((b, c) => b - means![c]! * factors[c]!);
    const filter = this.graph.values.get(convolution.ins[1]!)!;
    // [out, height, width, in] or, depthwise, [1, height, width, channels].
    const perOutput = this.stateOf(filter.id).length / channels;
    const channelOf = (i: number): number =>
      convolution.op === 'conv2d' ? Math.floor(i / perOutput) : i % channels;
    const weights = this.stateOf(filter.id).map((w, i) => w * factors[channelOf(i)]!);
    const { name } = this.graph.values.get(norm.outs[0]!)!;
    const ins = [
      this.take(convolution.ins[0]!),
      this.builder.constant(filter.name, float(filter.shape), weights),
      this.builder.constant(`${name}/bias`, float([channels]), bias),
    ];
    this.emit(
      { ...convolution, attrs: { ...convolution.attrs, clamp: norm.attrs.clamp } } as Node,
      ins,
      norm.outs[0]!,
    );
  }

  private emit(node: Node, ins: readonly (ValueId | null)[], out: ValueId): void {
    const { name, shape } = this.graph.values.get(out)!;
    const id = this.builder.activation(name, float(shape));
    this.builder.push({ ...node, ins, outs: [id], origin: { ...node.origin, name } });
    this.made.set(out, id);
  }

  /** The value of the result; inputs and parameters when they are first read. */
  private take(id: ValueId): ValueId {
    const known = this.made.get(id);
    if (known !== undefined) return known;
    const { name, shape, role } = this.graph.values.get(id)!;
    const made =
      role === 'input'
        ? this.builder.input(name, float(shape))
        : this.builder.constant(name, float(shape), this.stateOf(id));
    this.made.set(id, made);
    return made;
  }

  private stateOf(id: ValueId): Float32Array {
    const { name } = this.graph.values.get(id)!;
    return this.states.get(name) ?? fail('RV9005', `there is no state "${name}"`);
  }
}
