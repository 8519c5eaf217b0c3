/** Describes a float32 network to be trained, layer by layer: parameters are states with seeded weights. */
import { fail } from '../core/diagnostics.ts';
import { createRandom } from '../core/random.ts';
import type { Clamp, NodeAttributes, OpName, Padding } from '../ir/attributes.ts';
import { GraphBuilder } from '../ir/builder.ts';
import { elementCount, type Graph, type Shape, type TensorType, type ValueId } from '../ir/types.ts';
import { windowShape } from '../ops/convolution.ts';
import { UNBOUNDED } from '../ops/float.ts';
import { float } from './float-steps.ts';

/** Bounds of ReLU6. */
export const SIX: Clamp = [0, 6];

export interface ConvolutionOptions {
  /** Default 1. */
  readonly stride?: number;
  /** Default 1; of a conv only. */
  readonly groups?: number;
  /** Batch normalisation follows, with this clamp behind it; without it the convolution has a bias and the clamp. */
  readonly norm?: boolean;
  /** Default unbounded. */
  readonly clamp?: Clamp;
}

export interface NetworkOptions {
  /** Of the weights; null: they are 0, for whoever fills them anyway. Default 1. */
  readonly seed?: number | null;
  /** train (default): batch normalisation by the batch's own moments, which running averages follow; run: by those. */
  readonly mode?: 'train' | 'run';
  /** Share of a batch's moments in the running averages; 1: they are those of the last batch. Default 0.1. */
  readonly averageRate?: number;
}

const AVERAGE_RATE = 0.1;
/** What is added to variances. */
const EPSILON = 1e-5;

/**
 * Names of states: NAME/weights, NAME/bias; of batch normalisation NAME/gamma, NAME/beta, and NAME/moments [2, channels],
 * the running means and variances.
 */
export class Network {
  private readonly builder: GraphBuilder;
  private readonly random: (() => number) | null;
  private readonly mode: 'train' | 'run';
  private readonly averageRate: number;
  private layers = 0;

  constructor(name: string, { seed = 1, mode = 'train', averageRate = AVERAGE_RATE }: NetworkOptions = {}) {
    this.builder = new GraphBuilder(name);
    this.random = seed === null ? null : createRandom(seed);
    this.mode = mode;
    this.averageRate = averageRate;
  }

  input(name: string, shape: Shape): ValueId {
    return this.builder.input(name, float(shape));
  }

  labels(name: string, batch: number): ValueId {
    return this.builder.input(name, { shape: [batch], dtype: 'int32' });
  }

  /** A square window with the padding that keeps the size at stride 1, half of it on each side. */
  conv(
    name: string,
    x: ValueId,
    channels: number,
    kernel: number,
    options: ConvolutionOptions = {},
  ): ValueId {
    const depth = this.shape(x)[3]! / (options.groups ?? 1);
    const weights = this.weights(name, [channels, kernel, kernel, depth], kernel * kernel * depth);
    return this.convolution('conv2d', name, x, weights, channels, kernel, options);
  }

  depthwise(name: string, x: ValueId, kernel: number, options: ConvolutionOptions = {}): ValueId {
    const channels = this.shape(x)[3]!;
    const weights = this.weights(name, [1, kernel, kernel, channels], kernel * kernel);
    return this.convolution('depthwise_conv2d', name, x, weights, channels, kernel, options);
  }

  dense(name: string, x: ValueId, outputs: number, clamp = UNBOUNDED): ValueId {
    const inputs = this.shape(x).at(-1)!;
    const weights = this.weights(name, [outputs, inputs], inputs);
    const type = float([...this.shape(x).slice(0, -1), outputs]);
    return this.node(
      'fully_connected',
      { clamp },
      [x, weights, this.parameter(`${name}/bias`, [outputs], 0)],
      type,
      name,
    );
  }

  add(name: string, a: ValueId, b: ValueId): ValueId {
    return this.node('add', { clamp: UNBOUNDED }, [a, b], float(this.shape(a)), name);
  }

  /** [batch, height, width, channels] -> [batch, channels] */
  globalMean(name: string, x: ValueId): ValueId {
    const [batch, , , channels] = this.shape(x) as [number, number, number, number];
    return this.node('mean', { axes: [1, 2] }, [x], float([batch, channels]), name);
  }

  /** Any other operator, with one result. */
  node<K extends OpName>(
    op: K,
    attrs: NodeAttributes[K],
    ins: readonly ValueId[],
    type: TensorType,
    name: string = op,
  ): ValueId {
    const out = this.builder.activation(name, type);
    this.builder.node(op, attrs, ins, [out], { index: this.layers++, op, name });
    return out;
  }

  /** The mean loss of a batch, a value `loss`; `smoothing` of the target is spread evenly over all classes. */
  crossEntropy(logits: ValueId, labels: ValueId, smoothing = 0): ValueId {
    return this.node('softmax_cross_entropy', { smoothing }, [logits, labels], float([1]), 'loss');
  }

  /** A state that begins with one value everywhere. */
  parameter(name: string, shape: Shape, value: number): ValueId {
    return this.builder.state(name, float(shape), new Float32Array(elementCount(shape)).fill(value));
  }

  shape(id: ValueId): Shape {
    return this.builder.value(id).shape;
  }

  build(outputs: readonly ValueId[]): Graph {
    return this.builder.build(outputs);
  }

  private convolution(
    op: 'conv2d' | 'depthwise_conv2d',
    name: string,
    x: ValueId,
    weights: ValueId,
    channels: number,
    kernel: number,
    { stride = 1, norm = false, clamp = UNBOUNDED }: ConvolutionOptions,
  ): ValueId {
    if (kernel % 2 === 0) fail('RV9005', `a window of ${kernel} has no middle`, { origin: name });
    const side = (kernel - 1) / 2;
    const padding: Padding = [side, side, side, side];
    const [height, width] = windowShape(
      float(this.shape(x)),
      [kernel, kernel],
      [stride, stride],
      [1, 1],
      padding,
    );
    const type = float([this.shape(x)[0]!, height, width, channels]);
    const window = { stride: [stride, stride], dilation: [1, 1], padding } as const;
    if (!norm) {
      const bias = this.parameter(`${name}/bias`, [channels], 0);
      return this.node(op, { ...window, clamp }, [x, weights, bias], type, name);
    }
    const y = this.node(op, { ...window, clamp: UNBOUNDED }, [x, weights], type, `${name}/conv`);
    return this.batchNorm(name, y, clamp);
  }

  private batchNorm(name: string, x: ValueId, clamp: Clamp): ValueId {
    const channels = this.shape(x).at(-1)!;
    const gamma = this.parameter(`${name}/gamma`, [channels], 1);
    const beta = this.parameter(`${name}/beta`, [channels], 0);
    const type = float([2, channels]);
    // Means of 0 and variances of 1.
    const begin = Float32Array.from({ length: 2 * channels }, (_, i) => (i < channels ? 0 : 1));
    const running = this.builder.state(`${name}/moments`, type, begin);
    let moments = running;
    if (this.mode === 'train') {
      moments = this.node('batch_moments', {}, [x], type, `${name}/batch`);
      this.node('running_average', { rate: this.averageRate }, [running, moments], type, `${name}/average`);
    }
    const attrs = { epsilon: EPSILON, clamp };
    return this.node('batch_norm', attrs, [x, moments, gamma, beta], float(this.shape(x)), name);
  }

  /** Uniform with the variance that keeps that of the values behind a ReLU (He and others, 2015). */
  private weights(name: string, shape: Shape, fanIn: number): ValueId {
    const reach = Math.sqrt(6 / fanIn);
    const data = new Float32Array(elementCount(shape));
    const random = this.random;
    if (random !== null) for (let i = 0; i < data.length; ++i) data[i] = (2 * random() - 1) * reach;
    return this.builder.state(`${name}/weights`, float(shape), data);
  }
}
