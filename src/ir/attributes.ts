/**
 * The operators of the IR and their attributes. Importers canonicalise every format to these; quirks of a format never
 * get this far. Activations are [batch, height, width, channels] unless an operator says otherwise; all bounds
 * (`clamp`) are in raw quantised units of the output.
 *
 * On float32 values an operator means the same in real numbers: bounds are real, and may be infinite. Only convolutions,
 * dense layers and what else has no table or scale of its own work on them; see src/ops/float.ts.
 */

export type Pair = readonly [height: number, width: number];
/** Rows and columns of padding; they contribute nothing (as if they held the input's zero point). */
export type Padding = readonly [top: number, bottom: number, left: number, right: number];
/** Lowest and highest raw value of the output. */
export type Clamp = readonly [lowest: number, highest: number];

export interface WindowAttributes {
  readonly stride: Pair;
  readonly padding: Padding;
  readonly clamp: Clamp;
}

export interface ConvolutionAttributes extends WindowAttributes {
  readonly dilation: Pair;
}

/** Attributes of the depthwise convolution, and of the expanded tensor in between, which never exists as a whole. */
export interface ExpandDepthwiseAttributes extends ConvolutionAttributes {
  readonly expandClamp: Clamp;
  /** A float32 value held as a number. */
  readonly expandedScale: number;
  readonly expandedZeroPoint: number;
  /**
   * Whether expanded rows that the next window needs too are kept, as many as the window is higher than its stride; if
   * not, they are expanded again. Decides about memory and time, not about values.
   */
  readonly carries: boolean;
}

export interface PoolAttributes extends WindowAttributes {
  readonly kernel: Pair;
}

export interface ResizeAttributes {
  readonly alignCorners: boolean;
  readonly halfPixelCenters: boolean;
}

export interface ClampAttributes {
  readonly clamp: Clamp;
}

/** A window without bounds on the output: that of a gradient. */
export interface GradientWindow {
  readonly stride: Pair;
  readonly dilation: Pair;
  readonly padding: Padding;
}

export interface BatchNormAttributes extends ClampAttributes {
  /** Added to the variance. */
  readonly epsilon: number;
}

export type NoAttributes = Readonly<Record<never, never>>;

/** Operators of training, on float32. They are made by src/autodiff, and by who describes a network; no file has them. */
export interface TrainingAttributes {
  /** Gradient of y, weights as conv2d has them: gradient of x. */
  conv2d_input_gradient: GradientWindow;
  /** x, gradient of y: gradient of the weights. */
  conv2d_weight_gradient: GradientWindow;
  /** Gradient of y, weights as depthwise_conv2d has them: gradient of x. */
  depthwise_conv2d_input_gradient: GradientWindow;
  /** x, gradient of y: gradient of the weights. */
  depthwise_conv2d_weight_gradient: GradientWindow;
  /** Gradient of y: gradient of x. */
  average_pool2d_gradient: Omit<PoolAttributes, 'clamp'>;
  /** x, gradient of y: gradient of x, which the first of the largest elements of a window gets. */
  max_pool2d_gradient: Omit<PoolAttributes, 'clamp'>;
  /** y, gradient of y: the gradient before a clamp that led to y. */
  clamp_gradient: ClampAttributes;
  /** x [..., channels]: [2, channels], mean and variance of every channel over all leading dimensions. */
  batch_moments: NoAttributes;
  /** x [..., channels], moments [2, channels], gamma [channels], beta [channels]. */
  batch_norm: BatchNormAttributes;
  /** x, moments, gamma, beta, gradient of y: [2, channels], the gradients of gamma and beta. */
  batch_norm_parameter_gradient: BatchNormAttributes;
  /** x, moments, gamma, beta, gradient of y, gradients of gamma and beta: gradient of x, moments being those of x. */
  batch_norm_input_gradient: BatchNormAttributes;
  /** The sum over the dimensions that the output's shape lacks or has once: what broadcasting it back gives x's shape. */
  sum: NoAttributes;
  /** x broadcast to the output's shape. */
  broadcast: NoAttributes;
  /** Gradient of a slice: gradient of what it was cut from. */
  slice_gradient: { readonly begin: readonly number[]; readonly strides: readonly number[] };
  /** Gradient of the output: gradient of the input. */
  resize_nearest_gradient: ResizeAttributes;
  resize_bilinear_gradient: ResizeAttributes;
  /** Logits [batch, classes], labels int32 [batch]: the mean loss [1]. A label that is no class counts 0. */
  softmax_cross_entropy: NoAttributes;
  /** Logits, labels, gradient of the loss [1]: gradient of the logits. */
  softmax_cross_entropy_gradient: NoAttributes;
  /** Average (state), x: average += rate * (x - average); gives the new average. */
  running_average: { readonly rate: number };
  /** Weights (state), velocity (state), gradient, learning rate [1]: gives the gradient's squared length [1]. */
  sgd_update: { readonly momentum: number; readonly decay: number };
  /**
   * Weights, first moments, second moments, powers [2] (all states), gradient, learning rate [1]: gives the gradient's
   * squared length [1]. Powers begin with zeros.
   */
  adam_update: {
    readonly beta1: number;
    readonly beta2: number;
    readonly epsilon: number;
    readonly decay: number;
  };
}

export type TrainingOp = keyof TrainingAttributes;

export interface NodeAttributes extends TrainingAttributes {
  /** x, weights [out, kh, kw, in / groups], bias? */
  conv2d: ConvolutionAttributes;
  /** x, weights [1, kh, kw, channels * multiplier], bias? */
  depthwise_conv2d: ConvolutionAttributes;
  /**
   * x, expansion weights [channels, 1, 1, in], expansion bias?, depthwise weights [1, kh, kw, channels], depthwise bias?:
   * a pointwise conv2d and the depthwise_conv2d that reads it. Made by the pass narrow-rings, from no file.
   */
  expand_depthwise2d: ExpandDepthwiseAttributes;
  /** x, weights [out, kh, kw, in], bias?; output height and width are those of the output value. */
  transpose_conv2d: WindowAttributes;
  /** x [..., in], weights [out, in], bias?; the output keeps or flattens the leading dimensions. */
  fully_connected: ClampAttributes;
  /** a, b with NumPy broadcasting. */
  add: ClampAttributes;
  sub: ClampAttributes;
  mul: ClampAttributes;
  maximum: NoAttributes;
  minimum: NoAttributes;
  average_pool2d: PoolAttributes;
  max_pool2d: PoolAttributes;
  /** Over `axes` (sorted, non-negative); the output's shape decides whether they stay with size 1. */
  mean: { readonly axes: readonly number[] };
  /** Constant border of raw `value`; before and after per dimension. */
  pad: { readonly before: readonly number[]; readonly after: readonly number[]; readonly value: number };
  /** Same elements, another shape. */
  reshape: NoAttributes;
  /** Output dimension i is input dimension permutation[i]. */
  transpose: { readonly permutation: readonly number[] };
  concat: { readonly axis: number };
  /** out[i] = x[begin + i * stride] per dimension; strides may be negative; rank is kept. */
  slice: { readonly begin: readonly number[]; readonly strides: readonly number[] };
  resize_nearest: ResizeAttributes;
  resize_bilinear: ResizeAttributes;
  /** Over the last dimension. */
  softmax: { readonly beta: number };
  logistic: NoAttributes;
  tanh: NoAttributes;
  /** relu, relu6, relu_n1_to_1: rescale to the output's quantisation and clamp. */
  relu: ClampAttributes;
  leaky_relu: { readonly alpha: number };
  /** x, alpha broadcast to x. */
  prelu: NoAttributes;
  hard_swish: NoAttributes;
  /** Any of float32, int8, uint8 to int8 or uint8 with another quantisation. */
  quantize: NoAttributes;
  /** int8 or uint8 to float32. */
  dequantize: NoAttributes;
}

export type OpName = keyof NodeAttributes;
