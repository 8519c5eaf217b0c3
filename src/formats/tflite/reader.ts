import { type Diagnostic, fail, RivuletError, warningDiagnostic } from '../../core/diagnostics.ts';
import { FlatFile, type FlatTable } from '../flatbuffer.ts';
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
  METADATA,
  MODEL,
  OPERATOR,
  OPERATOR_CODE,
  OPS,
  type OptionField,
  type OptionValue,
  opNameOf,
  optionFields,
  QUANTIZATION,
  QUANTIZATION_DETAILS,
  SCHEMA_VERSION,
  SIGNATURE,
  SUBGRAPH,
  TENSOR,
  TENSOR_MAP,
  TENSOR_TYPES,
} from './schema.ts';

/** What a file holds, and what is odd about it but does not stop us. */
export interface TfliteReadResult {
  readonly model: TfliteModel;
  readonly warnings: readonly Diagnostic[];
}

/** More of the same help nobody, and a hostile file could ask for millions. */
const MAX_WARNINGS = 32;

/**
 * Reads a .tflite file. Constant data are views of `bytes`, so the caller must not change them. `file` names the input in
 * diagnostics. Whatever the bytes, time and memory stay proportional to their number.
 *
 * Errors: RV1001 to RV1005, as RivuletError.
 */
export function readTflite(bytes: Uint8Array, file = 'model'): TfliteReadResult {
  const flatFile = new FlatFile(bytes, file);
  if (flatFile.identifier === FILE_IDENTIFIER) return new Reader(flatFile).read();
  // The identifier is optional, so only a file that also makes no sense is called something else.
  try {
    const reader = new Reader(flatFile);
    reader.warn('RV1001', `the file does not carry the identifier ${FILE_IDENTIFIER}`, file);
    return reader.read();
  } catch (error) {
    if (!(error instanceof RivuletError)) throw error;
    const reason = error.diagnostics[0]?.message ?? 'it cannot be read';
    fail('RV1001', `the file has no identifier ${FILE_IDENTIFIER}, and ${reason}`, {
      origin: file,
      hint: 'give a .tflite file as the TensorFlow Lite converter writes it',
    });
  }
}

class Reader {
  readonly #file: FlatFile;
  readonly #warnings: Diagnostic[] = [];

  constructor(file: FlatFile) {
    this.#file = file;
  }

  read(): TfliteReadResult {
    const root = this.#file.root('Model');
    const version = root.uint32(MODEL.version);
    if (version !== SCHEMA_VERSION) {
      fail('RV1005', `schema version ${version} is not ${SCHEMA_VERSION}`, root.origin);
    }
    const operatorCodes = root.tables(MODEL.operatorCodes, 'operator_codes').map(readOperatorCode);
    const model: TfliteModel = {
      version,
      description: root.string(MODEL.description),
      operatorCodes,
      subgraphs: root
        .tables(MODEL.subgraphs, 'subgraphs')
        .map((table) => this.#subgraph(table, operatorCodes)),
      buffers: root.tables(MODEL.buffers, 'buffers').map((table, i) => this.#buffer(table, i)),
      metadata: root.tables(MODEL.metadata, 'metadata').map((table) => ({
        name: table.string(METADATA.name),
        buffer: table.uint32(METADATA.buffer),
      })),
      signatures: root.tables(MODEL.signatureDefs, 'signature_defs').map(readSignature),
    };
    checkTflite(model, this.#file.name);
    return { model, warnings: this.#warnings };
  }

  warn(code: Diagnostic['code'], message: string, origin: string): void {
    if (this.#warnings.length < MAX_WARNINGS) {
      this.#warnings.push(warningDiagnostic(code, message, { origin }));
    }
  }

  #subgraph(table: FlatTable, operatorCodes: readonly TfliteOperatorCode[]): TfliteSubgraph {
    return {
      name: table.string(SUBGRAPH.name),
      tensors: table.tables(SUBGRAPH.tensors, 'tensors').map(readTensor),
      inputs: table.int32s(SUBGRAPH.inputs),
      outputs: table.int32s(SUBGRAPH.outputs),
      operators: table
        .tables(SUBGRAPH.operators, 'operators')
        .map((operator) => this.#operator(operator, operatorCodes)),
    };
  }

  #operator(table: FlatTable, operatorCodes: readonly TfliteOperatorCode[]): TfliteOperator {
    const opcode = table.uint32(OPERATOR.opcodeIndex);
    const code = operatorCodes[opcode];
    if (code === undefined) {
      fail('RV1004', `operator code ${opcode} of ${operatorCodes.length} does not exist`, table.origin);
    }
    const customOptions = this.#customOptions(table);
    // The schema table proves that name and options belong together, which the type cannot see across the loop.
    return {
      name: code.name,
      opcode,
      inputs: table.int32s(OPERATOR.inputs),
      outputs: table.int32s(OPERATOR.outputs),
      intermediates: table.int32s(OPERATOR.intermediates),
      options: this.#options(table, code),
      ...(customOptions.length > 0 && { customOptions }),
    } as TfliteOperator;
  }

  #options(table: FlatTable, code: TfliteOperatorCode): Readonly<Record<string, OptionValue>> {
    const name = opNameOf(code.builtin);
    if (name === undefined) return {};
    const union = table.uint8(OPERATOR.optionsType);
    const matches = union === OPS[name].union;
    const fields = optionFields(name);
    if (!matches && union !== 0 && fields.length > 0) {
      const message = `the options are not those of ${name} (union member ${union}), so its defaults are used`;
      this.warn('RV1005', message, `${this.#file.name}: ${table.label}`);
    }
    const options = matches ? table.table(OPERATOR.options, 'builtin_options') : undefined;
    return Object.fromEntries(
      fields.map(([key, field]) => [
        key,
        options === undefined ? field.fallback : readOption(options, key, field),
      ]),
    );
  }

  #customOptions(table: FlatTable): Uint8Array {
    const offset = table.uint64(OPERATOR.largeCustomOptionsOffset);
    const size = table.uint64(OPERATOR.largeCustomOptionsSize);
    return isUsed(offset) ? this.#file.slice(offset, size, table.label) : table.bytes(OPERATOR.customOptions);
  }

  #buffer(table: FlatTable, index: number): Uint8Array {
    const inside = table.bytes(BUFFER.data);
    const offset = table.uint64(BUFFER.offset);
    const data =
      inside.length === 0 && isUsed(offset)
        ? this.#file.slice(offset, table.uint64(BUFFER.size), table.label)
        : inside;
    if (index > 0 || data.length === 0) return data;
    this.warn('RV1005', 'buffer 0 stands for no data, so its bytes are ignored', this.#file.name);
    return data.subarray(0, 0);
  }
}

/** Offsets from the file start mark data behind the flatbuffer; 1 is a placeholder that a writer did not patch. */
function isUsed(offset: number): boolean {
  return offset > 1;
}

function readOperatorCode(table: FlatTable): TfliteOperatorCode {
  // Old files have only the 8-bit field, new ones store 127 there for the codes above.
  const builtin = Math.max(
    table.int8(OPERATOR_CODE.deprecatedBuiltinCode),
    table.int32(OPERATOR_CODE.builtinCode),
  );
  if (builtin < 0) fail('RV1003', `the operator code ${builtin} is negative`, table.origin);
  return {
    builtin,
    name: opNameOf(builtin) ?? `BUILTIN_${builtin}`,
    ...(table.has(OPERATOR_CODE.customCode) && { custom: table.string(OPERATOR_CODE.customCode) }),
    version: table.int32(OPERATOR_CODE.version, 1),
  };
}

function readTensor(table: FlatTable): TfliteTensor {
  if (table.uint32(TENSOR.externalBuffer) !== 0) {
    fail('RV1005', 'the tensor keeps its data in another file', {
      ...table.origin,
      hint: 'convert the model to a single file',
    });
  }
  const quantization = readQuantization(table);
  return {
    name: table.string(TENSOR.name),
    shape: table.int32s(TENSOR.shape),
    ...(table.has(TENSOR.shapeSignature) && { shapeSignature: table.int32s(TENSOR.shapeSignature) }),
    type: nameOf(TENSOR_TYPES, table.int8(TENSOR.type), 'tensor type', table),
    buffer: table.uint32(TENSOR.buffer),
    isVariable: table.bool(TENSOR.isVariable),
    ...(quantization !== undefined && { quantization }),
    sparse: table.has(TENSOR.sparsity),
  };
}

function readQuantization(tensor: FlatTable): TfliteQuantization | undefined {
  const table = tensor.table(TENSOR.quantization, 'quantization');
  if (table === undefined) return undefined;
  const scale = table.float32s(QUANTIZATION.scale);
  const details = nameOf(
    QUANTIZATION_DETAILS,
    table.uint8(QUANTIZATION.detailsType),
    'quantisation scheme',
    table,
  );
  if (scale.length === 0 && details === 'NONE') return undefined;
  const zeroPoint = table.int64s(QUANTIZATION.zeroPoint).map(Number);
  return {
    scale,
    zeroPoint: zeroPoint.length === 0 ? [0] : zeroPoint,
    quantizedDimension: table.int32(QUANTIZATION.quantizedDimension),
    details,
  };
}

function readSignature(table: FlatTable): TfliteSignature {
  const namedTensor = (map: FlatTable): TfliteNamedTensor => ({
    name: map.string(TENSOR_MAP.name),
    tensor: map.uint32(TENSOR_MAP.tensorIndex),
  });
  return {
    key: table.string(SIGNATURE.key),
    subgraph: table.uint32(SIGNATURE.subgraph),
    inputs: table.tables(SIGNATURE.inputs, 'inputs').map(namedTensor),
    outputs: table.tables(SIGNATURE.outputs, 'outputs').map(namedTensor),
  };
}

function readOption(table: FlatTable, key: string, field: OptionField): OptionValue {
  switch (field.type) {
    case 'bool':
      return table.bool(field.slot, field.fallback);
    case 'int32':
      return table.int32(field.slot, field.fallback);
    case 'float32':
      return table.float32(field.slot, field.fallback);
    case 'int32s':
      return table.int32s(field.slot);
    case 'string':
      return table.string(field.slot, field.fallback);
    case 'enum':
      return nameOf(field.names, table.int8(field.slot), key, table);
  }
}

function nameOf<Name extends string>(
  names: readonly Name[],
  index: number,
  what: string,
  table: FlatTable,
): Name {
  return names[index] ?? fail('RV1005', `the ${what} ${index} is not known`, table.origin);
}
