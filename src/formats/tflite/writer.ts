import { fail } from '../../core/diagnostics.ts';
import { buildFlatFile, type FlatFields, type FlatValue, flat } from '../flatbuffer-builder.ts';
import { checkTflite } from './check.ts';
import type {
  TfliteModel,
  TfliteNamedTensor,
  TfliteOperator,
  TfliteOperatorCode,
  TfliteQuantization,
  TfliteSignature,
  TfliteSubgraph,
  TfliteTensor,
} from './model.ts';
import {
  BUFFER,
  FILE_IDENTIFIER,
  isKnownOp,
  METADATA,
  MODEL,
  OPERATOR,
  OPERATOR_CODE,
  OPS,
  type OptionField,
  type OptionValue,
  optionFields,
  PLACEHOLDER_CODE,
  QUANTIZATION,
  SIGNATURE,
  SUBGRAPH,
  TENSOR,
  TENSOR_MAP,
  TENSOR_TYPES,
} from './schema.ts';

/** What runtimes expect of the first byte of constant data, from the file start. */
const DATA_ALIGNMENT = 16;

/**
 * Writes a .tflite file: equal models give equal bytes, and reading them gives the model back. Every option is stored,
 * defaults included, so no reader depends on knowing them.
 *
 * Errors: RV1003 and RV1004 for sizes and indices that do not fit, RV1005 for what `readTflite` does not decode (sparse
 * constants, quantisation details, operators outside the schema table) and so cannot be written back.
 */
export function writeTflite(model: TfliteModel): Uint8Array {
  checkTflite(model, 'model');
  const root: FlatFields = {
    [MODEL.version]: flat.uint32(model.version),
    [MODEL.operatorCodes]: flat.list(model.operatorCodes.map(operatorCode)),
    [MODEL.subgraphs]: flat.list(model.subgraphs.map(subgraph)),
    [MODEL.description]: flat.string(model.description),
    [MODEL.buffers]: flat.list(model.buffers.map(buffer)),
    [MODEL.metadata]: optionalList(
      model.metadata.map((entry) =>
        flat.table({
          [METADATA.name]: flat.string(entry.name),
          [METADATA.buffer]: flat.uint32(entry.buffer),
        }),
      ),
    ),
    [MODEL.signatureDefs]: optionalList(model.signatures.map(signature)),
  };
  return buildFlatFile(root, FILE_IDENTIFIER);
}

function optionalList(items: readonly FlatValue[]): FlatValue | undefined {
  return items.length === 0 ? undefined : flat.list(items);
}

function operatorCode(code: TfliteOperatorCode): FlatValue {
  return flat.table({
    [OPERATOR_CODE.deprecatedBuiltinCode]: flat.int8(Math.min(code.builtin, PLACEHOLDER_CODE)),
    [OPERATOR_CODE.customCode]: code.custom === undefined ? undefined : flat.string(code.custom),
    [OPERATOR_CODE.version]: flat.int32(code.version),
    [OPERATOR_CODE.builtinCode]: flat.int32(code.builtin),
  });
}

function subgraph(graph: TfliteSubgraph): FlatValue {
  return flat.table({
    [SUBGRAPH.tensors]: flat.list(graph.tensors.map(tensor)),
    [SUBGRAPH.inputs]: flat.int32s(graph.inputs),
    [SUBGRAPH.outputs]: flat.int32s(graph.outputs),
    [SUBGRAPH.operators]: flat.list(graph.operators.map(operator)),
    [SUBGRAPH.name]: flat.string(graph.name),
  });
}

function tensor(value: TfliteTensor): FlatValue {
  if (value.sparse) fail('RV1005', 'a sparse constant cannot be written', { origin: value.name });
  return flat.table({
    [TENSOR.shape]: flat.int32s(value.shape),
    [TENSOR.type]: flat.int8(TENSOR_TYPES.indexOf(value.type)),
    [TENSOR.buffer]: flat.uint32(value.buffer),
    [TENSOR.name]: flat.string(value.name),
    [TENSOR.quantization]: value.quantization && quantization(value.quantization, value.name),
    [TENSOR.isVariable]: flat.bool(value.isVariable),
    [TENSOR.shapeSignature]: value.shapeSignature && flat.int32s(value.shapeSignature),
  });
}

function quantization(value: TfliteQuantization, origin: string): FlatValue {
  if (value.details !== 'NONE') {
    fail('RV1005', `quantisation details ${value.details} cannot be written`, { origin });
  }
  return flat.table({
    [QUANTIZATION.scale]: flat.float32s(value.scale),
    [QUANTIZATION.zeroPoint]: flat.int64s(value.zeroPoint),
    [QUANTIZATION.quantizedDimension]: flat.int32(value.quantizedDimension),
  });
}

function operator(value: TfliteOperator, index: number): FlatValue {
  return flat.table({
    [OPERATOR.opcodeIndex]: flat.uint32(value.opcode),
    [OPERATOR.inputs]: flat.int32s(value.inputs),
    [OPERATOR.outputs]: flat.int32s(value.outputs),
    ...builtinOptions(value, index),
    [OPERATOR.customOptions]: value.customOptions && flat.bytes(value.customOptions),
    [OPERATOR.intermediates]: value.intermediates.length > 0 ? flat.int32s(value.intermediates) : undefined,
  });
}

function builtinOptions(value: TfliteOperator, index: number): FlatFields {
  if (!isKnownOp(value.name)) {
    fail('RV1005', `the options of ${value.name} cannot be written`, { origin: `operator ${index}` });
  }
  const { name } = value;
  if (OPS[name].union === 0) return {};
  const options: Readonly<Record<string, OptionValue>> = value.options;
  const fields = optionFields(name).map(([key, field]) => [field.slot, option(field, options[key]!)]);
  return {
    [OPERATOR.optionsType]: flat.uint8(OPS[name].union),
    [OPERATOR.options]: flat.table(Object.fromEntries(fields)),
  };
}

/** `value` is of the field's type: the model's types are derived from the same table. */
function option(field: OptionField, value: OptionValue): FlatValue {
  switch (field.type) {
    case 'bool':
      return flat.bool(value as boolean);
    case 'int32':
      return flat.int32(value as number);
    case 'float32':
      return flat.float32(value as number);
    case 'int32s':
      return flat.int32s(value as readonly number[]);
    case 'string':
      return flat.string(value as string);
    case 'enum':
      return flat.int8(field.names.indexOf(value as string));
  }
}

function buffer(data: Uint8Array): FlatValue {
  return flat.table(data.length === 0 ? {} : { [BUFFER.data]: flat.bytes(data, DATA_ALIGNMENT) });
}

function signature(value: TfliteSignature): FlatValue {
  const tensorMap = (entry: TfliteNamedTensor) =>
    flat.table({
      [TENSOR_MAP.name]: flat.string(entry.name),
      [TENSOR_MAP.tensorIndex]: flat.uint32(entry.tensor),
    });
  return flat.table({
    [SIGNATURE.inputs]: flat.list(value.inputs.map(tensorMap)),
    [SIGNATURE.outputs]: flat.list(value.outputs.map(tensorMap)),
    [SIGNATURE.key]: flat.string(value.key),
    [SIGNATURE.subgraph]: flat.uint32(value.subgraph),
  });
}
