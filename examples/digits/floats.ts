import { type Digit, distort } from './data.ts';
import {
  accumulate,
  accumulateGradients,
  activate,
  activateGradient,
  addTo,
  type Dual,
  softmax,
  sumPixels,
} from './layers.ts';
import { biasCount, type Network, sizeOf, weightCount } from './network.ts';
import { type Random, shuffle, spread } from './random.ts';

/** The network in floating point: its parameters, and the values of the picture at hand. */
export class FloatNetwork {
  readonly network: Network;
  /** All of them, layer by layer, weights before biases; `weights` and `biases` are views of it. */
  readonly parameters: Dual;
  /** By layer, empty for those without. */
  readonly weights: readonly Dual[];
  readonly biases: readonly Dual[];
  /** Value 0 is the picture, value i + 1 the output of layer i. */
  readonly values: readonly Dual[];

  /** Weights start uniform with He's variance 2 / fan-in (He et al., ICCV 2015), biases at 0. */
  constructor(network: Network, random: Random) {
    this.network = network;
    const planes = [network.input, ...network.layers.map(({ output }) => output)];
    this.values = planes.map((plane) => zeros(sizeOf(plane)));
    const weightCounts = network.layers.map(weightCount);
    const biasCounts = network.layers.map(biasCount);
    this.parameters = zeros([...weightCounts, ...biasCounts].reduce((a, b) => a + b));
    let taken = 0;
    const take = (count: number): Dual => {
      taken += count;
      const { value, gradient } = this.parameters;
      return {
        value: value.subarray(taken - count, taken),
        gradient: gradient.subarray(taken - count, taken),
      };
    };
    const views = network.layers.map((_, i) => [take(weightCounts[i]!), take(biasCounts[i]!)] as const);
    this.weights = views.map(([weights]) => weights);
    this.biases = views.map(([, biases]) => biases);
    network.layers.forEach(({ weightsPerChannel }, index) => {
      const weights = this.weights[index]!.value;
      const limit = Math.sqrt(6 / weightsPerChannel);
      for (let i = 0; i < weights.length; i++) weights[i] = spread(random, limit);
    });
  }

  /** @returns the class scores before softmax; every layer's output is in `values` until the next call. */
  forward(picture: Float32Array): Float32Array {
    this.values[0]!.value.set(picture);
    this.network.layers.forEach((layer, index) => {
      const output = this.values[index + 1]!.value;
      const inputs = layer.reads.map((read) => this.values[read]!.value);
      if (layer.kind === 'add') {
        output.fill(0);
        for (const input of inputs) addTo(output, input);
      } else {
        const bias = this.biases[index]!.value;
        for (let i = 0; i < output.length; i += bias.length) output.set(bias, i);
        accumulate(layer, this.weights[index]!.value, inputs[0]!, output);
      }
      activate(layer, output);
    });
    return this.values.at(-1)!.value;
  }

  /** Adds what the picture of the last `forward` says about its cross-entropy with `label` to the parameters' gradients. */
  backward(label: number): void {
    for (const { gradient } of this.values) gradient.fill(0);
    const scores = this.values.at(-1)!;
    scores.gradient.set(softmax(scores.value));
    scores.gradient[label]! -= 1;
    for (let index = this.network.layers.length - 1; index >= 0; index--) {
      const layer = this.network.layers[index]!;
      const output = this.values[index + 1]!;
      activateGradient(layer, output);
      const inputs = layer.reads.map((read) => this.values[read]!);
      if (layer.kind === 'add') {
        for (const input of inputs) addTo(input.gradient, output.gradient);
      } else {
        accumulateGradients(layer, this.weights[index]!, inputs[0]!, output.gradient);
        sumPixels(output.gradient, this.biases[index]!.gradient);
      }
    }
  }
}

const zeros = (length: number): Dual => ({
  value: new Float32Array(length),
  gradient: new Float32Array(length),
});

export interface Schedule {
  readonly epochs: number;
  readonly batch: number;
  /** Step size of the first batch; it falls in a straight line to 0 after the last. */
  readonly rate: number;
}

/** Adam (Kingma and Ba, ICLR 2015) on distorted copies of the digits. */
export function train(
  net: FloatNetwork,
  digits: readonly Digit[],
  { epochs, batch, rate }: Schedule,
  random: Random,
  onEpoch: (epoch: number) => void,
): void {
  const [MEAN_DECAY, SQUARE_DECAY, EPSILON] = [0.9, 0.999, 1e-8];
  const { value: parameters, gradient: gradients } = net.parameters;
  const means = new Float32Array(parameters.length);
  const squares = new Float32Array(parameters.length);
  const steps = epochs * Math.floor(digits.length / batch);
  let [step, meanWeight, squareWeight] = [0, 1, 1];
  for (let epoch = 1; epoch <= epochs; epoch++) {
    const order = shuffle(random, digits);
    for (let start = 0; start + batch <= order.length; start += batch) {
      gradients.fill(0);
      for (const { pixels, label } of order.slice(start, start + batch)) {
        net.forward(distort(pixels, random));
        net.backward(label);
      }
      const size = rate * (1 - step++ / steps);
      meanWeight *= MEAN_DECAY;
      squareWeight *= SQUARE_DECAY;
      for (let i = 0; i < parameters.length; i++) {
        const gradient = gradients[i]! / batch;
        means[i] = MEAN_DECAY * means[i]! + (1 - MEAN_DECAY) * gradient;
        squares[i] = SQUARE_DECAY * squares[i]! + (1 - SQUARE_DECAY) * gradient * gradient;
        const mean = means[i]! / (1 - meanWeight);
        parameters[i]! -= (size * mean) / (Math.sqrt(squares[i]! / (1 - squareWeight)) + EPSILON);
      }
    }
    onEpoch(epoch);
  }
}
