/** Reads ONNX files, which may be hostile: sizes are held against the bytes that are there before anything is allocated. */
import { fail } from '../../core/diagnostics.ts';
import type { DType } from '../../core/dtype.ts';
import type { OnnxAttribute, OnnxGraph, OnnxModel, OnnxNode, OnnxPort, OnnxTensor } from './model.ts';
import { WireMessage } from './protobuf.ts';

/** Fields of onnx.proto3. */
const MODEL = { graph: 7, opsets: 8 } as const;
const OPSET = { domain: 1, version: 2 } as const;
const GRAPH = { node: 1, initializer: 5, input: 11, output: 12, sparse: 15 } as const;
const NODE = { input: 1, output: 2, name: 3, op: 4, attribute: 5, domain: 7 } as const;
const ATTRIBUTE = { name: 1, float: 2, int: 3, text: 4, tensor: 5, ints: 8 } as const;
const TENSOR = {
  dims: 1,
  type: 2,
  segment: 3,
  floats: 4,
  int32s: 5,
  int64s: 7,
  name: 8,
  raw: 9,
  external: 13,
  location: 14,
} as const;
const PORT = { name: 1, type: 2 } as const;
const TYPE = { tensor: 1 } as const;
const TENSOR_TYPE = { element: 1, shape: 2 } as const;
const SHAPE = { dim: 1 } as const;
const DIM = { value: 1, name: 2 } as const;

type Values = OnnxTensor['values'];

/** How elements lie in raw data, and what is made of them. */
interface Element {
  readonly dtype: DType;
  readonly bytes: number;
  readonly allocate: (length: number) => Values;
  readonly read: (view: DataView, offset: number) => number;
}

/** By TensorProto.DataType. */
const ELEMENTS: Readonly<Record<number, Element>> = {
  1: {
    dtype: 'float32',
    bytes: 4,
    allocate: (n) => new Float32Array(n),
    read: (v, at) => v.getFloat32(at, true),
  },
  2: { dtype: 'uint8', bytes: 1, allocate: (n) => new Uint8Array(n), read: (v, at) => v.getUint8(at) },
  3: { dtype: 'int8', bytes: 1, allocate: (n) => new Int8Array(n), read: (v, at) => v.getInt8(at) },
  5: { dtype: 'int16', bytes: 2, allocate: (n) => new Int16Array(n), read: (v, at) => v.getInt16(at, true) },
  6: { dtype: 'int32', bytes: 4, allocate: (n) => new Int32Array(n), read: (v, at) => v.getInt32(at, true) },
  7: {
    dtype: 'int64',
    bytes: 8,
    allocate: (n) => new Float64Array(n),
    read: (v, at) => Number(v.getBigInt64(at, true)),
  },
  9: { dtype: 'bool', bytes: 1, allocate: (n) => new Uint8Array(n), read: (v, at) => v.getUint8(at) },
  10: {
    dtype: 'float32',
    bytes: 2,
    allocate: (n) => new Float32Array(n),
    read: (v, at) => halfOf(v.getUint16(at, true)),
  },
  11: {
    dtype: 'float32',
    bytes: 8,
    allocate: (n) => new Float32Array(n),
    read: (v, at) => v.getFloat64(at, true),
  },
};

const MAX_RANK = 8;
const HINT = 'the file is expected to be an ONNX model';

/**
 * @param file its name, for diagnostics
 * @throws RivuletError RV1009 if it is no ONNX model, RV1002 if it is truncated, RV1003 for sizes that cannot be right,
 * RV1005 for tensors in other files, sparse ones, and element types that are not read
 */
export function readOnnx(bytes: Uint8Array, file: string): OnnxModel {
  const model = new WireMessage(bytes, file);
  const graph = model.message(MODEL.graph);
  if (graph === undefined || !model.has(MODEL.opsets)) {
    fail('RV1009', 'the file has no graph, or no version of its operators', { origin: file, hint: HINT });
  }
  const own = model.messages(MODEL.opsets).find((opset) => isOwn(opset.text(OPSET.domain)));
  return { opset: own?.integer(OPSET.version) ?? 0, graph: readGraph(graph) };
}

function isOwn(domain: string): boolean {
  return domain === '' || domain === 'ai.onnx';
}

function readGraph(graph: WireMessage): OnnxGraph {
  if (graph.has(GRAPH.sparse)) fail('RV1005', 'sparse tensors are not supported', { origin: graph.origin });
  const initializers = new Map(
    graph.messages(GRAPH.initializer).map((tensor) => [tensor.text(TENSOR.name), readTensor(tensor)]),
  );
  const ports = (field: number): OnnxPort[] => graph.messages(field).map(readPort);
  return {
    nodes: graph.messages(GRAPH.node).map(readNode),
    initializers,
    inputs: ports(GRAPH.input).filter(({ name }) => !initializers.has(name)),
    outputs: ports(GRAPH.output),
  };
}

function readNode(node: WireMessage): OnnxNode {
  const domain = node.text(NODE.domain);
  return {
    op: node.text(NODE.op),
    name: node.text(NODE.name),
    domain: isOwn(domain) ? '' : domain,
    inputs: node.texts(NODE.input),
    outputs: node.texts(NODE.output),
    attributes: new Map(
      node.messages(NODE.attribute).map((entry) => [entry.text(ATTRIBUTE.name), readAttribute(entry)]),
    ),
  };
}

function readAttribute(entry: WireMessage): OnnxAttribute {
  const tensor = entry.message(ATTRIBUTE.tensor);
  return {
    float: entry.floats(ATTRIBUTE.float).at(-1) ?? 0,
    int: entry.integer(ATTRIBUTE.int),
    text: entry.text(ATTRIBUTE.text),
    ints: entry.integers(ATTRIBUTE.ints),
    tensor: tensor && readTensor(tensor),
  };
}

function readPort(port: WireMessage): OnnxPort {
  const tensor = port.message(PORT.type)?.message(TYPE.tensor);
  const dims = tensor?.message(TENSOR_TYPE.shape)?.messages(SHAPE.dim);
  return {
    name: port.text(PORT.name),
    dtype: ELEMENTS[tensor?.integer(TENSOR_TYPE.element) ?? 0]?.dtype,
    shape: dims?.map((dim) => (dim.has(DIM.value) ? dim.integer(DIM.value) : dim.text(DIM.name))),
  };
}

function readTensor(tensor: WireMessage): OnnxTensor {
  const origin = `tensor "${tensor.text(TENSOR.name)}"`;
  const type = tensor.integer(TENSOR.type);
  const element = ELEMENTS[type] ?? fail('RV1005', `the element type ${type} is not supported`, { origin });
  if (tensor.has(TENSOR.external) || tensor.integer(TENSOR.location) !== 0 || tensor.has(TENSOR.segment)) {
    fail('RV1005', 'its elements are not in this file, or in parts', {
      origin,
      hint: 'save the model with all its data in one file',
    });
  }
  const shape = tensor.integers(TENSOR.dims);
  const count = shape.reduce((product, size) => product * size, 1);
  if (shape.length > MAX_RANK || shape.some((size) => size < 0) || !Number.isSafeInteger(count)) {
    fail('RV1003', `the shape [${shape.slice(0, MAX_RANK)}] cannot be right`, { origin });
  }
  return { shape, dtype: element.dtype, values: readElements(tensor, element, count, origin) };
}

function readElements(tensor: WireMessage, element: Element, count: number, origin: string): Values {
  const raw = tensor.bytes(TENSOR.raw);
  const short = (have: number): never =>
    fail('RV1003', `it has ${have} elements where its shape says ${count}`, { origin });
  if (raw !== undefined) {
    if (raw.length !== count * element.bytes) short(raw.length / element.bytes);
    const view = new DataView(raw.buffer, raw.byteOffset, raw.length);
    const values = element.allocate(count);
    for (let i = 0; i < count; ++i) values[i] = element.read(view, i * element.bytes);
    return values;
  }
  const listed = [
    ...tensor.floats(TENSOR.floats),
    ...tensor.integers(TENSOR.int32s),
    ...tensor.integers(TENSOR.int64s),
  ];
  if (listed.length !== count) short(listed.length);
  const values = element.allocate(count);
  // Half precision lies in int32s as its bits.
  values.set(element.dtype === 'float32' && element.bytes === 2 ? listed.map(halfOf) : listed);
  return values;
}

/** IEEE 754 binary16. */
function halfOf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
