import { fail } from '../../core/diagnostics.ts';
import type { TfliteModel, TfliteQuantization, TfliteSubgraph, TfliteTensor } from './model.ts';
import { ELEMENT_BITS } from './schema.ts';

/** More elements than this fit no address space we compile for, and products beyond it lose precision soon after. */
const MAX_ELEMENTS = 2 ** 31;

/**
 * Fails unless every index of the model refers to something and every size agrees with what it describes: RV1003 for
 * sizes, RV1004 for indices. `file` names the model in diagnostics.
 */
export function checkTflite(model: TfliteModel, file: string): void {
  if (model.subgraphs.length === 0) fail('RV1004', 'the model has no subgraph', { origin: file });
  model.subgraphs.forEach((subgraph, i) => {
    checkSubgraph(model, subgraph, `${file}: subgraph ${i}`);
  });
  model.metadata.forEach((entry, i) => {
    checkIndex(entry.buffer, model.buffers.length, 'buffer', `${file}: metadata ${i}`);
  });
  model.signatures.forEach((signature, i) => {
    const origin = `${file}: signature ${i}`;
    checkIndex(signature.subgraph, model.subgraphs.length, 'subgraph', origin);
    const { length } = model.subgraphs[signature.subgraph]!.tensors;
    for (const { tensor } of [...signature.inputs, ...signature.outputs]) {
      checkIndex(tensor, length, 'tensor', origin);
    }
  });
}

function checkSubgraph(model: TfliteModel, subgraph: TfliteSubgraph, origin: string): void {
  const tensorCount = subgraph.tensors.length;
  const checkTensors = (indices: readonly number[], where: string, first = 0) => {
    for (const index of indices) checkIndex(index, tensorCount, 'tensor', where, first);
  };
  subgraph.tensors.forEach((tensor, i) => {
    checkTensor(model, tensor, `${origin}, tensor ${i}`);
  });
  checkTensors(subgraph.inputs, `${origin}, inputs`);
  checkTensors(subgraph.outputs, `${origin}, outputs`);
  subgraph.operators.forEach((operator, i) => {
    const where = `${origin}, operator ${i} (${operator.name})`;
    checkIndex(operator.opcode, model.operatorCodes.length, 'operator code', where);
    const { name } = model.operatorCodes[operator.opcode]!;
    if (operator.name !== name) fail('RV1004', `its operator code stands for ${name}`, { origin: where });
    checkTensors(operator.inputs, where, -1);
    checkTensors(operator.outputs, where);
    checkTensors(operator.intermediates, where, -1);
  });
}

function checkTensor(model: TfliteModel, tensor: TfliteTensor, origin: string): void {
  let elements = 1;
  for (const size of tensor.shape) {
    if (size < 0) fail('RV1003', `dimension ${size} is negative`, { origin });
    elements *= size;
    if (elements > MAX_ELEMENTS) fail('RV1003', `more than ${MAX_ELEMENTS} elements`, { origin });
  }
  checkIndex(tensor.buffer, model.buffers.length, 'buffer', origin);
  const bytes = model.buffers[tensor.buffer]!.length;
  const needed = Math.ceil((elements * (ELEMENT_BITS[tensor.type] ?? 0)) / 8);
  if (bytes > 0 && !tensor.sparse && bytes < needed) {
    fail('RV1003', `the constant has ${bytes} bytes where its shape and type need ${needed}`, { origin });
  }
  if (tensor.quantization !== undefined) checkQuantization(tensor.quantization, tensor.shape, origin);
}

function checkQuantization(quantization: TfliteQuantization, shape: readonly number[], origin: string): void {
  const { scale, zeroPoint, quantizedDimension, details } = quantization;
  if (details !== 'NONE') return;
  if (zeroPoint.length !== 1 && zeroPoint.length !== scale.length) {
    fail('RV1003', `${zeroPoint.length} zero points do not go with ${scale.length} scales`, { origin });
  }
  if (!zeroPoint.every(Number.isSafeInteger)) fail('RV1003', 'a zero point is out of range', { origin });
  if (scale.length !== 1 && scale.length !== shape[quantizedDimension]) {
    const size = shape[quantizedDimension] ?? 'none';
    fail('RV1003', `${scale.length} scales for ${size} channels of dimension ${quantizedDimension}`, {
      origin,
    });
  }
}

function checkIndex(index: number, count: number, what: string, origin: string, first = 0): void {
  if (!Number.isInteger(index) || index < first || index >= count) {
    fail('RV1004', `${what} ${index} of ${count} does not exist`, { origin });
  }
}
