/**
 * Damage that `mutate.ts` rarely does: the file stays a sound flatbuffer, but its model makes no sense, or another sense.
 * This is what gets past the reader and into import, passes and planner.
 */
import { createRandom } from '../../src/core/random.ts';
import type { TfliteModel, TfliteOperator } from '../../src/formats/tflite/model.ts';
import {
  ELEMENT_BITS,
  OPS,
  type OptionValue,
  optionFields,
  TENSOR_TYPES,
} from '../../src/formats/tflite/schema.ts';

type Mutable<T> = T extends Uint8Array
  ? T
  : T extends readonly (infer Item)[]
    ? Mutable<Item>[]
    : T extends object
      ? { -readonly [K in keyof T]: Mutable<T[K]> }
      : T;
type Draft = Mutable<TfliteModel>;
type Subgraph = Draft['subgraphs'][number];

export interface ModelMutation {
  /** What was done, to repeat it by hand. */
  readonly description: string;
  readonly model: TfliteModel;
}

const SIZES = [0, 1, 2, 3, 5, 8, 16, 64, 255, 4096, 1 << 16, 1 << 20, (1 << 26) + 1, 2 ** 31 - 1];
const INTEGERS = [...SIZES, -1, -2, -3, -128, -(2 ** 31)];
const REALS = [
  0,
  1,
  -1,
  0.5,
  1 / 256,
  2 ** -7,
  1e-6,
  1e-30,
  1e-45,
  1e6,
  3e38,
  Number.NaN,
  Number.POSITIVE_INFINITY,
];

/** `count` changed copies of `model`, each with one to three changes; the same seed gives the same copies. */
export function* modelMutations(model: TfliteModel, seed: number, count: number): Generator<ModelMutation> {
  const random = createRandom(seed);
  const below: Below = (limit) => Math.floor(random() * limit);
  for (let i = 0; i < count; ++i) {
    const draft = structuredClone(model) as Draft;
    const names: string[] = [];
    for (let changes = 1 + below(3); changes > 0; --changes) {
      const mutator = pick(MUTATORS, below);
      names.push(mutator.name);
      mutator(draft.subgraphs[0]!, below, draft);
    }
    yield { description: `model seed ${seed}, copy ${i}: ${names.join(', ')}`, model: draft as TfliteModel };
  }
}

type Below = (limit: number) => number;
type Mutator = (graph: Subgraph, below: Below, model: Draft) => void;

function pick<T>(items: readonly T[], below: Below): T {
  return items[below(items.length)]!;
}

/** Replaces, inserts or removes one item. */
function edit<T>(list: T[], value: T, below: Below): void {
  const at = below(list.length + 1);
  const kind = below(4);
  if (kind === 0) list.splice(at, 0, value);
  else if (kind === 1) list.splice(at, 1);
  else if (list.length > 0) list[at % list.length] = value;
}

const size: Mutator = (graph, below) => {
  edit(pick(graph.tensors, below).shape, pick(SIZES, below), below);
};

/** Two tensors with the same new size often still fit together. */
const sizeEverywhere: Mutator = (graph, below) => {
  const before = pick(pick(graph.tensors, below).shape, below);
  const after = pick(SIZES, below);
  for (const { shape } of graph.tensors) {
    shape.forEach((n, d) => {
      if (n === before) shape[d] = after;
    });
  }
};

const type: Mutator = (graph, below) => {
  pick(graph.tensors, below).type = pick(TENSOR_TYPES, below);
};

const typeEverywhere: Mutator = (graph, below) => {
  const after = pick(TENSOR_TYPES, below);
  for (const tensor of graph.tensors) if (tensor.type === 'INT8' && tensor.buffer === 0) tensor.type = after;
};

const scale: Mutator = (graph, below) => {
  const { quantization } = pick(graph.tensors, below);
  if (quantization) edit(quantization.scale, Math.fround(pick(REALS, below)), below);
};

const scaleByPowerOfTwo: Mutator = (graph, below) => {
  const { quantization } = pick(graph.tensors, below);
  const factor = 2 ** (below(80) - 40);
  if (quantization) quantization.scale = quantization.scale.map((s) => Math.fround(s * factor));
};

const zeroPoint: Mutator = (graph, below) => {
  const { quantization } = pick(graph.tensors, below);
  if (quantization) edit(quantization.zeroPoint, pick([...INTEGERS, 127, -5], below), below);
};

const axisOfScales: Mutator = (graph, below) => {
  const { quantization } = pick(graph.tensors, below);
  if (quantization) quantization.quantizedDimension = pick([...INTEGERS, 3], below);
};

const unquantise: Mutator = (graph, below) => {
  delete pick(graph.tensors, below).quantization;
};

const kindOfTensor: Mutator = (graph, below, { buffers }) => {
  const tensor = pick(graph.tensors, below);
  const kind = below(4);
  if (kind < 2) tensor.buffer = below(buffers.length);
  else if (kind === 2) tensor.isVariable = true;
  else tensor.shapeSignature = tensor.shape.map((n) => (below(2) === 0 ? -1 : n));
};

const number: Mutator = (_, below, { buffers }) => {
  const bytes = pick(buffers, below);
  if (bytes.length < 4) return;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  view.setInt32(4 * below(bytes.length >> 2), pick(INTEGERS, below), true);
};

const option: Mutator = (graph, below) => {
  const operator = pick(graph.operators, below);
  if (operator === undefined || !(operator.name in OPS)) return;
  const fields = optionFields(operator.name as keyof typeof OPS);
  if (fields.length === 0) return;
  const [key, field] = pick(fields, below);
  const options = operator.options as Record<string, OptionValue>;
  if (field.type === 'bool') options[key] = below(2) === 0;
  else if (field.type === 'int32') options[key] = pick([...INTEGERS, 4, 6, 7, 1 << 30], below);
  else if (field.type === 'float32')
    options[key] = Math.fround(pick([...REALS, ...REALS.map((x) => -x)], below));
  else if (field.type === 'enum') options[key] = pick(field.names, below);
};

const operand: Mutator = (graph, below) => {
  const operator = pick(graph.operators, below);
  if (operator)
    edit(below(3) === 0 ? operator.outputs : operator.inputs, below(graph.tensors.length + 1) - 1, below);
};

const boundary: Mutator = (graph, below) => {
  edit(below(2) === 0 ? graph.inputs : graph.outputs, below(graph.tensors.length), below);
};

const operatorOrder: Mutator = ({ operators }, below) => {
  const [moved] = operators.splice(below(operators.length), 1);
  if (moved && below(3) > 0) operators.splice(below(operators.length + 1), 0, moved);
};

/** The same operands for another operator of the schema, with its default options. */
const operatorKind: Mutator = (graph, below, { operatorCodes }) => {
  const operator = pick(graph.operators, below) as Mutable<TfliteOperator> | undefined;
  if (operator === undefined) return;
  const name = pick(Object.keys(OPS) as (keyof typeof OPS)[], below);
  const options = Object.fromEntries(optionFields(name).map(([key, { fallback }]) => [key, fallback]));
  Object.assign(operator, { name, options, opcode: operatorCodes.length });
  operatorCodes.push({ builtin: OPS[name].code, name, version: 1 });
};

/** A constant grows to what a changed shape says, so that the shape is believed. */
const fillConstants: Mutator = (graph, _, { buffers }) => {
  for (const { buffer, shape, type: elements } of graph.tensors) {
    const bytes = Math.ceil((shape.reduce((n, m) => n * m, 1) * (ELEMENT_BITS[elements] ?? 0)) / 8);
    if (buffer > 0 && bytes < 1 << 16 && buffers[buffer]!.length < bytes) {
      buffers[buffer] = Uint8Array.from({ length: bytes }, (__, i) => i * 29);
    }
  }
};

const MUTATORS: readonly Mutator[] = [
  size,
  sizeEverywhere,
  sizeEverywhere,
  type,
  typeEverywhere,
  scale,
  scale,
  scaleByPowerOfTwo,
  scaleByPowerOfTwo,
  zeroPoint,
  axisOfScales,
  unquantise,
  kindOfTensor,
  number,
  option,
  option,
  option,
  operand,
  boundary,
  operatorOrder,
  operatorKind,
  fillConstants,
];
