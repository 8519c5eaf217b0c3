interface Size {
  readonly height: number;
  readonly width: number;
}

/** Height x width x channels, stored in that order, channels innermost (NHWC with N = 1). */
export interface Plane extends Size {
  readonly channels: number;
}

export type Activation = 'NONE' | 'RELU' | 'RELU6';

/** One layer as it is written down; it reads the layer before it, and an `add` also the named earlier one. */
export type LayerPlan = { readonly name: string } & (
  | WindowPlan<'conv'>
  | Omit<WindowPlan<'depthwise'>, 'channels'>
  | { readonly kind: 'add'; readonly skip: string; readonly activation: Activation }
  | { readonly kind: 'dense'; readonly channels: number }
);

interface WindowPlan<Kind> {
  readonly kind: Kind;
  readonly kernel: number;
  readonly stride: number;
  readonly channels: number;
  readonly activation: Activation;
}

/** A layer with everything that follows from its place in the network. */
export interface Layer {
  readonly name: string;
  readonly kind: LayerPlan['kind'];
  readonly kernel: number;
  readonly stride: number;
  readonly activation: Activation;
  /** The values it reads: 0 is the picture, i + 1 the output of layer i. */
  readonly reads: readonly number[];
  readonly input: Plane;
  readonly output: Plane;
  /** Taps x input channels (conv, and dense whose taps are all pixels) or just taps (depthwise); 0 for an add. */
  readonly weightsPerChannel: number;
  /** Triples (output pixel, input pixel, kernel tap): everything a window does, with the padding already left out. */
  readonly links: Int32Array;
}

export interface Network {
  readonly input: Plane;
  readonly layers: readonly Layer[];
}

export const sizeOf = (plane: Plane): number => plane.height * plane.width * plane.channels;

export const weightCount = (layer: Layer): number => layer.weightsPerChannel * layer.output.channels;

export const biasCount = (layer: Layer): number => (layer.kind === 'add' ? 0 : layer.output.channels);

export function buildNetwork(input: Plane, plans: readonly LayerPlan[]): Network {
  const layers: Layer[] = [];
  for (const plan of plans) {
    const plane = layers.at(-1)?.output ?? input;
    const skip = plan.kind === 'add' ? [layers.findIndex(({ name }) => name === plan.skip) + 1] : [];
    layers.push(resolve(plan, plane, [...skip, layers.length]));
  }
  return { input, layers };
}

function resolve(plan: LayerPlan, input: Plane, reads: readonly number[]): Layer {
  const base = {
    name: plan.name,
    kind: plan.kind,
    kernel: 1,
    stride: 1,
    activation: 'NONE' as const,
    reads,
    input,
  };
  switch (plan.kind) {
    case 'conv':
    case 'depthwise': {
      const { kernel, stride, activation } = plan;
      const output = {
        height: Math.ceil(input.height / stride),
        width: Math.ceil(input.width / stride),
        channels: plan.kind === 'conv' ? plan.channels : input.channels,
      };
      const weightsPerChannel = kernel * kernel * (plan.kind === 'conv' ? input.channels : 1);
      const links = linkWindows(input, output, kernel, stride);
      return { ...base, kernel, stride, activation, output, weightsPerChannel, links };
    }
    case 'dense':
      return {
        ...base,
        output: { height: 1, width: 1, channels: plan.channels },
        weightsPerChannel: sizeOf(input),
        links: linkWindows(input, { height: 1, width: 1 }, input.height, input.height),
      };
    case 'add':
      return {
        ...base,
        activation: plan.activation,
        output: input,
        weightsPerChannel: 0,
        links: new Int32Array(),
      };
  }
}

/** The links of a square window under TFLite's SAME padding, whose odd pixel goes to the right and the bottom. */
function linkWindows(input: Size, output: Size, kernel: number, stride: number): Int32Array {
  const before = (inSize: number, outSize: number) =>
    Math.max(0, (outSize - 1) * stride + kernel - inSize) >> 1;
  const [top, left] = [before(input.height, output.height), before(input.width, output.width)];
  const links: number[] = [];
  for (let pixel = 0; pixel < output.height * output.width; pixel++) {
    for (let tap = 0; tap < kernel * kernel; tap++) {
      const y = Math.floor(pixel / output.width) * stride - top + Math.floor(tap / kernel);
      const x = (pixel % output.width) * stride - left + (tap % kernel);
      if (y >= 0 && y < input.height && x >= 0 && x < input.width)
        links.push(pixel, y * input.width + x, tap);
    }
  }
  return Int32Array.from(links);
}
