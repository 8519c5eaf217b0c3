/** Writes small ONNX files: a few fields of Protocol Buffers' wire format. */

/** A field: text and nested messages as bytes, integers as varints. */
type Field = readonly [number: number, value: number | string | Uint8Array];

export interface OnnxSketch {
  readonly opset?: number;
  readonly inputs?: Readonly<Record<string, readonly (number | string)[]>>;
  /** TensorProto.DataType of all inputs; default 1, float32. */
  readonly inputType?: number;
  readonly outputs?: readonly string[];
  readonly nodes: readonly OnnxSketchNode[];
  readonly tensors?: Readonly<Record<string, { shape: readonly number[]; values: readonly number[] }>>;
}

export interface OnnxSketchNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly domain?: string;
  readonly ints?: Readonly<Record<string, number | readonly number[]>>;
}

export function onnxFile({
  opset = 13,
  inputs = { x: [1, 2, 4, 4] },
  inputType = 1,
  outputs = ['y'],
  nodes,
  tensors = {},
}: OnnxSketch): Uint8Array {
  const port = (name: string, shape?: readonly (number | string)[]): Uint8Array => {
    if (shape === undefined) return message([1, name]);
    const dims = shape.map((size): Field => [1, message([typeof size === 'number' ? 1 : 2, size])]);
    return message([1, name], [2, message([1, message([1, inputType], [2, message(...dims)])])]);
  };
  const graph = message(
    ...nodes.map((node): Field => [1, nodeMessage(node)]),
    ...Object.entries(tensors).map(
      ([name, { shape, values }]): Field => [5, tensorMessage(name, shape, values)],
    ),
    ...Object.entries(inputs).map(([name, shape]): Field => [11, port(name, shape)]),
    ...outputs.map((name): Field => [12, port(name)]),
  );
  return message([1, 8], [8, message([2, opset])], [7, graph]);
}

function nodeMessage({ op, inputs, outputs, domain = '', ints = {} }: OnnxSketchNode): Uint8Array {
  const attributes = Object.entries(ints).map(([name, value]): Field => {
    const fields = [value].flat().map((n): Field => [typeof value === 'number' ? 3 : 8, n]);
    return [5, message([1, name], ...fields)];
  });
  return message(
    ...inputs.map((name): Field => [1, name]),
    ...outputs.map((name): Field => [2, name]),
    [4, op],
    ...attributes,
    [7, domain],
  );
}

function tensorMessage(name: string, shape: readonly number[], values: readonly number[]): Uint8Array {
  const raw = new Uint8Array(Float32Array.from(values).buffer);
  return message(...shape.map((size): Field => [1, size]), [2, 1], [8, name], [9, raw]);
}

export function message(...fields: readonly Field[]): Uint8Array {
  return Uint8Array.from(
    fields.flatMap(([number, value]) => {
      if (typeof value === 'number') return [...varint(number * 8), ...varint(value)];
      const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
      return [...varint(number * 8 + 2), ...varint(bytes.length), ...bytes];
    }),
  );
}

/** Seven bits a byte, the lowest first. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = BigInt.asUintN(64, BigInt(value)); bytes.length === 0 || rest > 0n; rest >>= 7n) {
    bytes.push(Number(rest & 127n) | (rest > 127n ? 128 : 0));
  }
  return bytes;
}
