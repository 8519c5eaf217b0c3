import { type DiagnosticDetail, fail } from '../../core/diagnostics.ts';
import { type JsonObject, parseJsonObject } from '../json.ts';
import { METADATA, PREFIX, SAFE_DTYPES, type SafeDType, type SafeTensor, type SafeTensors } from './model.ts';

/** Far more than the few hundred tensors of a network need; the format itself allows 100 MB. */
const DIALECT = { code: 'RV1007', maxBytes: 1 << 20 } as const;
const MAX_RANK = 32;

/** A tensor and where its bytes begin, counted from the end of the header. */
interface Placed {
  readonly name: string;
  readonly begin: number;
  readonly end: number;
  readonly tensor: SafeTensor;
  readonly detail: DiagnosticDetail;
}

/**
 * Reads a file that may be hostile. Elements are not copied.
 * @param file its name, for diagnostics
 * @throws RivuletError RV1007 if it is no such file, RV1002 if it is truncated, RV1003 if tensors overlap, leave gaps or
 * do not have the size of their shape, RV1005 for an element type that the format does not have
 */
export function readSafetensors(bytes: Uint8Array, file: string): SafeTensors {
  const detail = { origin: file, hint: 'the file is expected to be a .safetensors file' };
  if (bytes.length < PREFIX) fail('RV1007', `the file has ${bytes.length} bytes, no header fits`, detail);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerBytes = Number(view.getBigUint64(0, true));
  if (bytes.length >= PREFIX + 1 && bytes[PREFIX] !== 0x7b) {
    fail('RV1007', 'the header does not begin with "{"', detail);
  }
  if (headerBytes > bytes.length - PREFIX) {
    fail('RV1002', `the header takes ${headerBytes} bytes, but the file has ${bytes.length}`, detail);
  }
  const header = parseJsonObject(bytes.subarray(PREFIX, PREFIX + headerBytes), DIALECT, file);
  const elements = bytes.subarray(PREFIX + headerBytes);
  const placed = header
    .keys()
    .filter((name) => name !== METADATA)
    .map((name) => readTensor(header.object(name), name, elements));
  requireTiling(placed, elements.length, file);
  return {
    tensors: new Map(placed.map(({ name, tensor }) => [name, tensor])),
    metadata: header.has(METADATA) ? readMetadata(header.object(METADATA)) : new Map(),
  };
}

function readMetadata(object: JsonObject): Map<string, string> {
  return new Map(object.keys().map((key) => [key, object.text(key)]));
}

function readTensor(entry: JsonObject, name: string, elements: Uint8Array): Placed {
  const detail = { origin: entry.origin };
  const dtype = entry.text('dtype');
  if (!Object.hasOwn(SAFE_DTYPES, dtype)) fail('RV1005', `the element type ${dtype} is not known`, detail);
  const shape = entry.integers('shape', 0, Number.MAX_SAFE_INTEGER);
  if (shape.length > MAX_RANK) fail('RV1003', `${shape.length} dimensions cannot be right`, detail);
  const [begin, end] = entry.integers('data_offsets', 0, Number.MAX_SAFE_INTEGER, 2) as [number, number];
  if (end > elements.length) {
    fail('RV1002', `it ends at byte ${end} of the data, but there are ${elements.length}`, detail);
  }
  // A product beyond 2^53 is rounded, but never down to the size of a file.
  const needed = shape.reduce((product, size) => product * size, SAFE_DTYPES[dtype as SafeDType].bytes);
  if (end - begin !== needed) {
    fail('RV1003', `[${shape.join(', ')}] ${dtype} takes ${needed} bytes, it has ${end - begin}`, detail);
  }
  const tensor = { dtype: dtype as SafeDType, shape, bytes: elements.subarray(begin, end) };
  return { name, begin, end, tensor, detail };
}

/** Tensors lie one behind the other: no byte belongs to two of them, or to none. */
function requireTiling(placed: readonly Placed[], length: number, file: string): void {
  let at = 0;
  for (const { begin, end, detail } of placed.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin < at) fail('RV1003', `it begins at byte ${begin} of the data, inside another tensor`, detail);
    if (begin > at)
      fail('RV1003', `bytes ${at} to ${begin} of the data before it belong to no tensor`, detail);
    at = end;
  }
  if (at < length) fail('RV1003', `the last ${length - at} bytes belong to no tensor`, { origin: file });
}
