/** What training each layer is worth, as measured, and which trials measure it. */

/** What one trial trains beside the classifier. */
export interface TrialScheme {
  /** The biases of so many last layers before the classifier. */
  readonly biases: number;
  /** The weights of one of these layers. */
  readonly weights?: { readonly layer: number; readonly ratio: number };
}

/** Gains are differences of held-out accuracies (0 to 1), means over the seeds. */
export interface Contributions {
  /** Layers before the classifier. */
  readonly layers: number;
  /** Accuracy after training the classifier alone. */
  readonly baseline: number;
  /** By k: the gain of training the biases of the last k layers, over the classifier alone; [0] is 0. */
  readonly biases: readonly number[];
  /** The gain of training these weights too, over the biases of the same layer and all behind it. */
  readonly weights: readonly LayerGain[];
}

export interface LayerGain {
  readonly layer: number;
  readonly ratio: number;
  readonly gain: number;
}

/**
 * The trials of an analysis of the last `depth` layers, those first that everything else is compared with.
 * @param layers before the classifier
 */
export function trialsOf(layers: number, depth: number, ratios: readonly number[]): TrialScheme[] {
  const behind = Array.from({ length: depth + 1 }, (_, biases): TrialScheme => ({ biases }));
  const weights = behind
    .slice(1)
    .flatMap(({ biases }) =>
      ratios.map((ratio): TrialScheme => ({ biases, weights: { layer: layers - biases, ratio } })),
    );
  return [...behind, ...weights];
}

/** @param accuracies held-out, one for each seed, of each of `trials` */
export function contributionsOf(
  layers: number,
  trials: readonly TrialScheme[],
  accuracies: readonly (readonly number[])[],
): Contributions {
  const means = accuracies.map((list) => list.reduce((sum, x) => sum + x, 0) / list.length);
  const biasOnly = new Map<number, number>();
  trials.forEach(({ biases, weights }, i) => {
    if (weights === undefined) biasOnly.set(biases, means[i]!);
  });
  const baseline = biasOnly.get(0)!;
  return {
    layers,
    baseline,
    biases: [...biasOnly.keys()].sort((a, b) => a - b).map((k) => biasOnly.get(k)! - baseline),
    weights: trials.flatMap(({ biases, weights }, i) =>
      weights === undefined ? [] : [{ ...weights, gain: means[i]! - biasOnly.get(biases)! }],
    ),
  };
}
