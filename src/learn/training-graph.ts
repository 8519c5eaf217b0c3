/**
 * The graph of a training step: inference, gradient and update in one, by reverse differentiation at compile time. What is
 * frozen gets no gradient; an update follows at once on the gradient it needs, after the gradient of the layer's input has
 * been computed with the old weights; of the input only the trained channels are kept, of the output one bit an element.
 * docs/training.md has the arithmetic.
 */
import { GraphBuilder } from '../ir/builder.ts';
import type { Graph } from '../ir/types.ts';
import { Backward } from './backward.ts';
import { Forward, type TrainedLayer } from './forward.ts';
import { withFreshClassifier, withoutSoftmax } from './head.ts';
import { classifierOf } from './layers.ts';
import { planTraining } from './plan-training.ts';
import type { Scheme } from './scheme.ts';

export interface TrainingGraph {
  /** Inputs: image, label int32[1], rate float32[1], and with a batch: apply int32[1]. Outputs: logits, loss float32[1]. */
  readonly graph: Graph;
  /** How many of its nodes are the inference; they come first. */
  readonly forwardNodes: number;
  /** The inference alone, with the weights as they begin: trained ones are written back into it. */
  readonly inference: Graph;
  /** In order of execution. */
  readonly layers: readonly TrainedLayer[];
}

/**
 * @param model an int8 network after all passes, with a classifier at its end
 * @param seed of the stochastic rounding
 * @throws RivuletError RV5001 (the scheme does not fit the model), RV5002 (the model cannot be trained so)
 */
export function trainingGraph(model: Graph, scheme: Scheme, seed = 1): TrainingGraph {
  const inference =
    scheme.classes === undefined ? withoutSoftmax(model) : withFreshClassifier(model, scheme.classes);
  const builder = GraphBuilder.from(inference);
  const forward = new Forward(builder, planTraining(inference, scheme));
  for (const node of inference.nodes) forward.add(node);
  const forwardNodes = builder.nodeCount;
  const inputs = {
    label: builder.input('label', { shape: [1], dtype: 'int32' }),
    rate: builder.input('rate', { shape: [1], dtype: 'float32' }),
    apply: scheme.batch > 1 ? builder.input('apply', { shape: [1], dtype: 'int32' }) : null,
  };
  const backward = new Backward(builder, forward, scheme, inputs, seed);
  const [logits] = inference.outputs as [number];
  const loss = backward.start(logits, classifierOf(inference).layer.origin);
  for (const node of inference.nodes.toReversed()) backward.through(node);
  const graph = builder.build([logits, loss]);
  return { graph, forwardNodes, inference, layers: [...forward.trained.values()] };
}
