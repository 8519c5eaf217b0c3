/** What of a network is trained on the device, and how: a small JSON document. */
import { fail } from '../core/diagnostics.ts';

/** Part of one layer's weights. */
export interface TrainedLayer {
  /** Number of the layer: convolutions, depthwise convolutions and dense layers count, in order of execution, from 0. */
  readonly layer: number;
  /** Share of the input channels whose weights are trained (of the channels, for a depthwise layer): 0 to 1. */
  readonly ratio: number;
  /** Which channels, ascending; without it the most important ones, as many as the ratio says. */
  readonly channels?: readonly number[];
}

export interface Scheme {
  readonly name: string;
  /** Classes of the new classifier; absent: the model's own classifier goes on learning. */
  readonly classes?: number;
  /** The biases of so many last layers before the classifier are trained. */
  readonly biases: number;
  /** The classifier is trained whole, always, and not listed. */
  readonly weights: readonly TrainedLayer[];
  /** Bits that a trained int8 weight keeps below its own; what is lost without them: docs/training-numerics.md. */
  readonly residualBits: 0 | 4 | 8;
  /** Quantisation-aware scaling: steps as SGD on real numbers would make them. Off only for comparison. */
  readonly qas: boolean;
  /** 0: plain SGD. */
  readonly momentum: number;
  /** Images whose gradients are added up before a step. */
  readonly batch: number;
}

const DEFAULTS = {
  name: 'scheme',
  biases: 0,
  weights: [],
  residualBits: 4,
  qas: true,
  momentum: 0,
  batch: 1,
};

const FIELDS = [
  'name',
  'comment',
  'classes',
  'biases',
  'weights',
  'residualBits',
  'qas',
  'momentum',
  'batch',
];
const LAYER_FIELDS = ['layer', 'ratio', 'channels'];

/**
 * Reads a scheme.
 * @param origin the file, for diagnostics
 * @throws RivuletError RV5001
 */
export function parseScheme(text: string, origin: string): Scheme {
  const wrong = (message: string, hint?: string): never =>
    fail('RV5001', message, { origin, ...(hint !== undefined && { hint }) });
  const json = parseJson(text) ?? wrong('the file is not JSON');
  const object = requireObject(json, 'the scheme', FIELDS, wrong);
  const scheme = { ...DEFAULTS, ...object } as unknown as Scheme;
  const { name, classes, biases, weights, residualBits, qas, momentum, batch } = scheme;
  const isCount = (x: unknown): boolean => Number.isInteger(x) && (x as number) >= 0;
  if (typeof name !== 'string') wrong('"name" is not a string');
  if (classes !== undefined && !(isCount(classes) && classes >= 2 && classes <= 32768))
    wrong(`"classes" is ${JSON.stringify(classes)}, not a whole number from 2 to 32768`);
  if (!isCount(biases)) wrong(`"biases" is ${JSON.stringify(biases)}, not a number of layers`);
  if (![0, 4, 8].includes(residualBits)) wrong('"residualBits" must be 0, 4 or 8');
  if (typeof qas !== 'boolean') wrong('"qas" must be true or false');
  if (!(momentum >= 0 && momentum < 1)) wrong('"momentum" must be at least 0 and below 1');
  if (!isCount(batch) || batch < 1 || batch > 65536) wrong('"batch" must be a whole number from 1 to 65536');
  if (!Array.isArray(weights)) wrong('"weights" is not a list');
  for (const [i, entry] of weights.entries()) {
    const { layer, ratio, channels } = requireObject(
      entry,
      `weights[${i}]`,
      LAYER_FIELDS,
      wrong,
    ) as Partial<TrainedLayer>;
    if (!isCount(layer)) wrong(`weights[${i}].layer is ${JSON.stringify(layer)}, not the number of a layer`);
    if (!(typeof ratio === 'number' && ratio >= 0 && ratio <= 1))
      wrong(`weights[${i}].ratio is ${JSON.stringify(ratio)}, not from 0 to 1`);
    if (weights.findIndex((other) => other.layer === layer) !== i) wrong(`layer ${layer} is listed twice`);
    const isAscending = (list: readonly number[]): boolean =>
      list.every((c, j) => isCount(c) && (j === 0 || c > list[j - 1]!));
    if (channels !== undefined && !(Array.isArray(channels) && isAscending(channels)))
      wrong(`weights[${i}].channels is not a list of ascending numbers`);
  }
  return scheme;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function requireObject(
  value: unknown,
  what: string,
  fields: readonly string[],
  wrong: (message: string, hint?: string) => never,
): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return wrong(`${what} is not an object`);
  const unknown = Object.keys(value).find((key) => !fields.includes(key));
  if (unknown !== undefined) wrong(`${what} has a field "${unknown}"`, `known are ${fields.join(', ')}`);
  return value as Record<string, unknown>;
}
