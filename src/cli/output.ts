/** How results look: exactly one JSON document, or text with aligned tables. */
import { type Diagnostic, formatDiagnostic } from '../core/diagnostics.ts';

/** Where the command line writes. */
export interface CliStreams {
  stdout(text: string): void;
  stderr(text: string): void;
  /** Whether stdout understands terminal escapes. */
  readonly colour: boolean;
}

/** What a verb has to say. */
export interface Result {
  /** For --json. */
  readonly document: object;
  /** For a person, without --json. */
  readonly text: string;
  /** Shown on stderr in either case. */
  readonly notes?: readonly Diagnostic[];
  readonly exitCode: number;
}

/** Exit codes; 1 is left to failures of Rivulet itself. */
export const EXIT = { ok: 0, internal: 1, bad: 2, doesNotFit: 3, differs: 4 } as const;

export function printResult(result: Result, json: boolean, streams: CliStreams): number {
  if (result.notes?.length) streams.stderr(`${diagnosticsText(result.notes)}\n`);
  if (json) printJson(result.document, streams);
  else streams.stdout(streams.colour ? embolden(result.text) : result.text.replaceAll(MARK, ''));
  return result.exitCode;
}

export function printJson(document: object, streams: CliStreams): void {
  const text = JSON.stringify(document, null, 2);
  // Lists of numbers on one line. A line break inside a string is escaped, so these are lists and nothing else.
  streams.stdout(`${text.replace(/\[\n[^[\]{}"]*\]/g, (list) => list.replace(/\s+/g, ' '))}\n`);
}

/** Begins a line to be emphasised on a terminal. */
const MARK = '\u0001';

export function heading(text: string): string {
  return `${MARK}${text}`;
}

function embolden(text: string): string {
  return text.replace(new RegExp(`${MARK}(.*)`, 'g'), '\u001b[1m$1\u001b[22m');
}

/** 21600 -> 21,600. */
export function count(n: number): string {
  return n.toLocaleString('en-US', { maximumFractionDigits: 0 });
}

export function bytes(n: number): string {
  return `${count(n)} B`;
}

/** The multiple of a unit that reads best, to three digits: 64000000 'Hz' -> 64 MHz. */
export function withUnit(n: number, unit: string): string {
  const [factor, prefix] = n >= 1e9 ? [1e9, 'G'] : n >= 1e6 ? [1e6, 'M'] : n >= 1e3 ? [1e3, 'k'] : [1, ''];
  return `${Number((n / factor).toPrecision(3))} ${prefix}${unit}`;
}

/** 0.8541 -> 85.41 %. */
export function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}

/** 3725 -> 62:05, minutes and seconds. */
export function minutes(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;
}

/** Six significant digits, as scales need. */
export function real(x: number): string {
  return String(Number(x.toPrecision(6)));
}

export function shapeText(shape: readonly number[]): string {
  return shape.length === 0 ? 'scalar' : shape.join('x');
}

export interface Column {
  readonly title: string;
  readonly right?: boolean;
  /** Longer cells are cut in their middle, where the names of layers differ least. */
  readonly limit?: number;
}

/** A table with a heading line; columns two spaces apart. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => row.map((cell, c) => cut(printable(cell), columns[c]!.limit ?? 80)));
  const widths = columns.map(({ title }, c) =>
    cells.reduce((width, row) => Math.max(width, row[c]!.length), title.length),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, c) => (columns[c]!.right ? cell.padStart(widths[c]!) : cell.padEnd(widths[c]!)))
      .join('  ')
      .trimEnd();
  return [heading(line(columns.map(({ title }) => title))), ...cells.map(line)].join('\n');
}

/** Names come from files of unknown origin: nothing in them may command the terminal. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '?');
}

export function diagnosticsText(diagnostics: readonly Diagnostic[]): string {
  return diagnostics.map(formatDiagnostic).join('\n').split('\n').map(printable).join('\n');
}

function cut(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const tail = Math.floor((limit - 1) / 2);
  return `${text.slice(0, limit - 1 - tail)}…${text.slice(text.length - tail)}`;
}

/** Milliseconds between two lines about how far something is. */
const TOLD_MS = 10_000;

/** A function that says something at most every ten seconds. */
export function seldom(tell: (text: string) => void): (text: () => string) => void {
  let last = performance.now();
  return (text) => {
    if (performance.now() - last < TOLD_MS) return;
    last = performance.now();
    tell(text());
  };
}

/** The command line, to be kept with what it made. */
export function commandLine(): string {
  return `rivulet ${process.argv.slice(2).join(' ')}`;
}
