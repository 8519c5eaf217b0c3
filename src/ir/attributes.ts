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

/** How weights of a convolution are updated; the attributes of the convolution with it. */
export interface WeightUpdateAttributes extends ConvolutionAttributes {
  /** Bits that are kept below the weights' own. */
  readonly residualBits: 0 | 4 | 8;
  /** How much of the velocity stays, 15 fraction bits. */
  readonly momentum: number;
  /** Quantisation-aware scaling: the step is that of the real weights. */
  readonly qas: boolean;
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

/** How steps move parameters. */
export interface StepAttributes {
  /** 15 fraction bits; 0: none. */
  readonly momentum: number;
  /** Quantisation-aware scaling: steps as SGD on real numbers makes them. */
  readonly qas: boolean;
}

/** The window is that of the layer whose weights are updated. */
export interface WeightUpdateAttributes extends ConvolutionAttributes, StepAttributes {
  /** Bits that a weight keeps behind its unit. */
  readonly residualBits: 0 | 4 | 8;
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
/** `smoothing` of the target is spread evenly over all classes (Szegedy and others, 2016); 0: the label is all of it. */
export interface CrossEntropyAttributes {
  readonly smoothing: number;
}

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
  softmax_cross_entropy: CrossEntropyAttributes;
  /** Logits, labels, gradient of the loss [1]: gradient of the logits. */
  softmax_cross_entropy_gradient: CrossEntropyAttributes;
  /** Average (state), x: average += rate * (x - average); gives the new average. */
  running_average: { readonly rate: number };
  /** Weights (state), velocity (state), gradient, learning rate [1]: gives the gradient's squared length [1]. */
  sgd_update: { readonly momentum: number; readonly decay: number; readonly nesterov: boolean };
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

  // Training. docs/training-numerics.md says what gradients, scales and masks are.

  /** logits int8 [1, N] or [1, 1, 1, N], label int32 [1]: the loss, float32 [1]. */
  softmax_cross_entropy_loss: NoAttributes;
  /** logits, label, scale (state): the gradient of the logits. */
  quantized_softmax_cross_entropy_gradient: NoAttributes;
  /** y int8 [N, H, W, C]: a bit for each element that lies strictly inside `clamp`, uint8 [N, H, 1, ceil(W * C / 8)]. */
  clamp_mask: ClampAttributes;
  /**
   * x, weights as they begin (constant) [out, kh, kw, in], bias (state), trained? (state) [out, kh, kw, n], channels?
   * (constant) int32 [n]: a conv2d whose weights of the input channels `channels`, of all without them, are `trained`.
   */
  trained_conv2d: ConvolutionAttributes;
  /** g, its scale, mask?, weights, trained?, channels?, scale (state): the gradient of x; attributes of the conv2d. */
  quantized_conv2d_input_gradient: ConvolutionAttributes;
  /**
   * x of the n trained channels, g, its scale, mask?, weights, trained (state), residual? (state uint8), random (state),
   * rate float32 [1], velocity? (state), pending? (state), apply? int32 [1]: int32 [1], how many weights met a bound.
   */
  conv2d_update: WeightUpdateAttributes;
  /**
   * g, its scale, mask?, weights, bias (state), random (state), rate, velocity? (state), pending? (state), apply?: int32 [1].
   * `inputScale` is that of the layer's input.
   */
  bias_update: StepAttributes & { readonly inputScale: number };
  /** x int8 [N, H, W, C]: its channels `channels`, in that order. */
  gather_channels: { readonly channels: readonly number[] };
  /**
   * x, weights [1, kh, kw, C], bias (state int32 [C]), trained? (state int8 [1, kh, kw, n]), channels? (const int32 [n],
   * ascending: which ones are trained; absent: all).
   */
  trained_depthwise_conv2d: ConvolutionAttributes;
  /**
   * g, its scale, mask?, weights, trained?, channels?, scale of the result (state): the gradient of x. Attributes are those
   * of the convolution.
   */
  quantized_depthwise_conv2d_input_gradient: ConvolutionAttributes;
  /**
   * x [1, H, W, n] (the trained channels of the input), g, its scale, mask?, weights (for their scales), trained (state),
   * residual? (state uint8, one or two a byte), random (state int32 [1]), rate (float32 [1]), velocity? and pending? (states
   * int32, one for each trained weight), apply? (int32 [1]), channels?: int32 [1], how many weights had to be clamped.
   */
  depthwise_conv2d_update: WeightUpdateAttributes;
  /** g [1, H', W', C], its scale, scale of the result (state): the gradient of a mean over height and width. */
  mean_gradient: NoAttributes;
  /** a, its scale, b, its scale, scale of the result (state): their sum. */
  gradient_sum: NoAttributes;
  /** g, its scale, mask?, scale of the result (state): the gradient of x. Attributes are those of the pool. */
  quantized_average_pool2d_gradient: PoolAttributes;
  /** x, g, its scale, mask?, scale of the result (state): the gradient of x. Attributes are those of the pool. */
  quantized_max_pool2d_gradient: PoolAttributes;
  /**
   * x, g, its scale, scale of the result (state): the gradient of x, by the derivative at each of 256 bytes, from -128 on,
   * an integer of at most 7 bits with `fraction` fraction bits.
   */
  unary_gradient: { readonly derivative: readonly number[]; readonly fraction: number };
  /** other, g, its scale, mask?, scale of the result (state): the gradient of an operand that is multiplied by `other`. */
  mul_gradient: NoAttributes;
  /** y, g, its scale, scale of the result (state): the gradient of a softmax whose beta is 1. */
  quantized_softmax_gradient: NoAttributes;
  /** g, its scale, scale of the result (state): the gradient of x. Attributes are those of the resizing. */
  quantized_resize_nearest_gradient: ResizeAttributes;
  quantized_resize_bilinear_gradient: ResizeAttributes;
}

export type OpName = keyof NodeAttributes;
