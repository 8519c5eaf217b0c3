/**
 * Everything that can be wrong with what a user gives us, by number. A number is never reused; the text beside it is
 * the rule that was broken, and each occurrence adds its own message, origin (the place in the user's model or on the
 * command line) and hint (what to do about it).
 */
export const DIAGNOSTIC_CODES = {
  // 1xxx: the file
  RV1001: 'the file is not a TFLite flatbuffer',
  RV1002: 'the file is truncated or an offset points outside it',
  RV1003: 'the file declares sizes that cannot be right',
  RV1004: 'the file refers to something that does not exist',
  RV1005: 'the file uses a part of the format that is not supported',
  RV1006: 'the file cannot be read',
  RV1007: 'the file is not a safetensors file',
  RV1008: 'the file does not describe a network of int8 blocks',
  RV1009: 'the file is not an ONNX model',
  // 2xxx: the model
  RV2001: 'the operator is not supported',
  RV2002: 'the operator has an attribute or shape that is not supported',
  RV2003: 'the tensor type is not supported here',
  RV2004: 'the tensor is not quantised, or not as the operator needs it',
  RV2005: 'the shape is dynamic or does not agree with the operator',
  RV2006: 'the model is too large to be meant for a microcontroller',
  RV2007: 'the model has no operators, inputs or outputs to compile',
  RV2008: 'an operator needs a constant tensor where the model computes one',
  RV2009: 'the model cannot run over time',
  // 3xxx: the request
  RV3001: 'the option value is not valid',
  RV3002: 'the input does not fit the model',
  RV3003: 'the target is not known',
  RV3004: 'the executor or toolchain is not available here',
  RV3005: 'the output cannot be written',
  RV3006: 'the model does not fit the target',
  // 4xxx: the data
  RV4001: 'the data is not laid out as a data set',
  RV4002: 'an item of the data cannot be read',
  RV4003: 'the items of the data do not have the same size',
  RV4004: 'a label is not that of a class',
  RV4005: 'the data does not have several classes',
  RV4006: 'the data does not fit the input of the model',
  RV4007: 'the audio front-end is not valid',
  // 5xxx: learning
  RV5001: 'the training scheme is not valid, or not for this model',
  RV5002: 'the model cannot be trained in this way',
  RV5003: 'the checkpoint belongs to another training',
  RV5004: 'the description of a network is not valid',
  RV5005: 'the saved state is damaged, or of another model or scheme',
  RV5006: 'no training scheme fits the budget',
  // 6xxx: searching networks
  RV6001: 'the file does not describe a chain of inverted bottlenecks',
  RV6002: 'the genes are not those of a network of the space',
  RV6003: 'no network of the space fits',
  RV6004: 'what was kept is of another search',
  // 9xxx: our own invariants
  RV9001: 'internal error: the graph is not valid',
  RV9002: 'internal error: the memory plan is not safe',
  RV9003: 'internal error: a kernel parameter is missing or unknown',
  RV9004: 'internal error: the emitted project does not build or run',
  RV9005: 'internal error: something that should not happen',
} as const;

export type DiagnosticCode = keyof typeof DIAGNOSTIC_CODES;
export type Severity = 'error' | 'warning';

export interface Diagnostic {
  readonly code: DiagnosticCode;
  readonly severity: Severity;
  /** One sentence, lower case, without a full stop: what was found. */
  readonly message: string;
  /** The place in the user's model or command line, e.g. `operator 3 (CONV_2D) "block1/conv"`. */
  readonly origin?: string;
  /** What the user can do about it. */
  readonly hint?: string;
}

/** Where a diagnostic comes from and what helps, both optional. */
export type DiagnosticDetail = Pick<Diagnostic, 'origin' | 'hint'>;

export function errorDiagnostic(
  code: DiagnosticCode,
  message: string,
  detail: DiagnosticDetail = {},
): Diagnostic {
  return { code, severity: 'error', message, ...detail };
}

export function warningDiagnostic(
  code: DiagnosticCode,
  message: string,
  detail: DiagnosticDetail = {},
): Diagnostic {
  return { code, severity: 'warning', message, ...detail };
}

/** `RV2001 error: message` with origin and hint on lines of their own. */
export function formatDiagnostic(d: Diagnostic): string {
  const lines = [`${d.code} ${d.severity}: ${d.message}`];
  if (d.origin !== undefined) lines.push(`  at ${d.origin}`);
  if (d.hint !== undefined) lines.push(`  hint: ${d.hint}`);
  return lines.join('\n');
}

/** Places that are named when one problem is found in many. */
const PLACES = 4;

/** Diagnostics as a person reads them: what is wrong in many places is said once. */
export function formatDiagnostics(diagnostics: readonly Diagnostic[]): string {
  const groups = new Map<string, [Diagnostic, ...Diagnostic[]]>();
  for (const d of diagnostics) {
    const key = formatDiagnostic({ ...d, origin: '' });
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [d]);
    else group.push(d);
  }
  return [...groups.values()].map(formatGroup).join('\n');
}

/** Diagnostics that differ in their origins only. */
function formatGroup(group: readonly [Diagnostic, ...Diagnostic[]]): string {
  const places = group.slice(0, PLACES).flatMap(({ origin }) => (origin === undefined ? [] : [origin]));
  if (group.length > PLACES) places.push(`and ${group.length - PLACES} more places`);
  return formatDiagnostic({ ...group[0], ...(places.length > 0 && { origin: places.join('\n     ') }) });
}

/** The only exception Rivulet throws on purpose: one or more diagnostics, all of them shown at once. */
export class RivuletError extends Error {
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    super(formatDiagnostics(diagnostics));
    this.name = 'RivuletError';
    this.diagnostics = diagnostics;
  }
}

/** Throws a single error diagnostic. */
export function fail(code: DiagnosticCode, message: string, detail: DiagnosticDetail = {}): never {
  throw new RivuletError([errorDiagnostic(code, message, detail)]);
}
