/**
 * The layer functions of NAME.c: one per call. A layer on its own loops over its rows; a layer of a streaming group
 * computes the row it is asked for.
 */

import { kernelSource } from '../program/kernel-source.ts';
import type { Call, OutputSlot, RowView, Run, Slot } from '../program/types.ts';
import { constantName } from './constants.ts';
import type { EmitContext } from './context.ts';
import type { KernelFunction } from './kernels.ts';
import { commentText } from './names.ts';
import { type AffineRows, affineRows, affineText, plus } from './rows.ts';

export function layerName({ name }: EmitContext, call: Call): string {
  return `${name}_layer_${call.index}`;
}

/** The function of one call; `run` says in which order its rows fire, null: one row at a time, as a group asks. */
export function emitLayer(context: EmitContext, call: Call, run: Run | null, kernel: KernelFunction): string {
  const tables: string[] = [];
  const firing = [
    ...slotLines(context, call, tables),
    ...outputLines(context, call, tables),
    ...(usesFiringIndex(call) ? ['row.y = y;'] : []),
    `${kernel.name}(${kernelArguments(kernel)});`,
  ];
  const scratch = call.scratch === null ? 'NULL' : `arena + ${context.plan.addresses[call.scratch]}`;
  return [
    `/* Layer ${call.index}: ${layerComment(call)} */`,
    `static RV_NOINLINE void ${layerName(context, call)}(int8_t *arena${run === null ? ', int32_t y' : ''})`,
    '{',
    ...parameterStructs(context, call, kernel),
    ...tables.map((table) => `    ${table}`),
    `    const void *in[${Math.max(1, call.slots.length)}];`,
    `    rv_row row = {in, NULL, ${scratch}, 0};`,
    '',
    ...(run === null ? oneRow(firing) : loop(call, run, firing)),
    '}',
  ].join('\n');
}

function layerComment(call: Call): string {
  const macs = call.macs > 0 ? `; ${call.macs} MACs` : '';
  return `${commentText(call.origin.op)} "${commentText(call.origin.name)}"${macs}`;
}

function oneRow(firing: readonly string[]): string[] {
  const lines = firing.map((line) => `    ${line}`);
  return firing.some(usesRow) ? lines : ['    (void)y;', ...lines];
}

/** Whether a line of C depends on the row. */
function usesRow(line: string): boolean {
  return /\by\b/.test(line.replace('row.y', ''));
}

function loop(call: Call, run: Run, firing: readonly string[]): string[] {
  if (call.firings === 1) {
    const lines = firing.map((line) => `    ${line}`);
    return firing.some(usesRow) ? ['    const int32_t y = 0;', '', ...lines] : lines;
  }
  const last = call.firings - 1;
  const head =
    run.step === 1
      ? `for (int32_t y = 0; y < ${call.firings}; ++y) {`
      : `for (int32_t y = ${last}; y >= 0; --y) {`;
  return [`    ${head}`, ...firing.map((line) => `        ${line}`), '    }'];
}

function usesFiringIndex(call: Call): boolean {
  return /\brow->y\b/.test(kernelSource(call.kernel).body);
}

function kernelArguments(kernel: KernelFunction): string {
  return [
    ...(kernel.literals === null && kernel.source.geometry.length > 0 ? ['&geometry'] : []),
    ...(kernel.source.data.length > 0 ? ['&data'] : []),
    '&row',
  ].join(', ');
}

function parameterStructs(context: EmitContext, call: Call, kernel: KernelFunction): string[] {
  const { source } = kernel;
  const lines: string[] = [];
  if (kernel.literals === null && source.geometry.length > 0) {
    const values = source.geometry.map((field) => call.geometry[field.name]).join(', ');
    lines.push(`    static const rv_${source.name}_geometry geometry = {${values}};`);
  }
  if (source.data.length > 0) {
    const values = source.data.map((field) => constantName(context, call.data[field.name]!)).join(', ');
    lines.push(`    static const rv_${source.name}_data data = {${values}};`);
  }
  return lines;
}

/** Assignments of in[k]; neighbouring slots that differ only by a constant step share a loop. */
function slotLines(context: EmitContext, call: Call, tables: string[]): string[] {
  const lines: string[] = [];
  for (let first = 0; first < call.slots.length; ) {
    const rows = affineRows(call.slots[first]!.rows);
    const count = rows === null ? 1 : sharedSlots(call.slots, first, rows);
    if (count >= 3) lines.push(...sharedSlotLines(context, call.slots, first, count, rows!));
    else for (let k = first; k < first + count; ++k) lines.push(...singleSlotLines(context, call, k, tables));
    first += count;
  }
  return lines;
}

/** How many slots from `first` read the same rows, each shifted by the same distance. */
function sharedSlots(slots: readonly Slot[], first: number, rows: AffineRows): number {
  const head = slots[first]!;
  let step = 0;
  let count = 1;
  for (; first + count < slots.length; ++count) {
    const slot = slots[first + count]!;
    const next = affineRows(slot.rows);
    if (next === null || !sameView(head, slot) || next.factor !== rows.factor) break;
    if (count === 1) step = next.addend - rows.addend;
    if (next.addend !== rows.addend + count * step) break;
  }
  return sharesLimit(slots.slice(first, first + count)) ? count : 1;
}

/** One bound must tell absent rows from present ones in every slot. */
function sharesLimit(slots: readonly Slot[]): boolean {
  const group = slots.map((slot) => affineRows(slot.rows)!);
  const limit = Math.max(...group.map((g) => g.limit));
  return slots.every((slot, k) =>
    slot.rows.every((row, y) => {
      const predicted = y * group[k]!.factor + group[k]!.addend;
      return row < 0 === (predicted < 0 || predicted >= limit);
    }),
  );
}

function sameView(a: Slot, b: Slot): boolean {
  return (
    JSON.stringify(a.source) === JSON.stringify(b.source) &&
    a.offset === b.offset &&
    a.pitch === b.pitch &&
    a.ring === b.ring &&
    a.turn === b.turn
  );
}

function sharedSlotLines(
  context: EmitContext,
  slots: readonly Slot[],
  first: number,
  count: number,
  rows: AffineRows,
): string[] {
  const head = slots[first]!;
  const group = slots.slice(first, first + count).map((slot) => affineRows(slot.rows)!);
  const step = group[1]!.addend - rows.addend;
  const limit = Math.max(...group.map((g) => g.limit));
  const index = first === 0 ? 'k' : `k + ${first}`;
  const window = step === 0 ? '' : step === 1 ? 'k' : `k * ${step}`;
  const highest = Math.max(...slots.slice(first, first + count).map(highestRow));
  const address = rowAddress(base(context, head), head, 'r', highest);
  const value = group.some((g) => g.partial) ? `r >= 0 && r < ${limit} ? ${address} : NULL` : address;
  return [
    `for (int32_t k = 0; k < ${count}; ++k) {`,
    `    const int32_t r = ${affineText('y', rows.factor, rows.addend, window)};`,
    `    in[${index}] = ${value};`,
    '}',
  ];
}

function singleSlotLines(context: EmitContext, call: Call, k: number, tables: string[]): string[] {
  const slot = call.slots[k]!;
  return assignment(`in[${k}]`, base(context, slot), slot, tables, `rows_${k}`);
}

function outputLines(context: EmitContext, call: Call, tables: string[]): string[] {
  return assignment('row.out', base(context, call.output), call.output, tables, 'rows_out');
}

/** `target = address of this firing's row, or NULL`. */
function assignment(target: string, start: string, view: RowView, tables: string[], table: string): string[] {
  if (view.rows.every((row) => row < 0)) return [`${target} = NULL;`];
  const rows = affineRows(view.rows);
  if (rows === null) {
    const address = rowAddress(start, view, `${table}[y]`, highestRow(view));
    const value = view.rows.includes(-1) ? `${table}[y] >= 0 ? ${address} : NULL` : address;
    const type = view.rows.some((row) => row > 32767) ? 'int32_t' : 'int16_t';
    // A ring of one row has the same place for every row.
    if (value !== start)
      tables.push(`static const ${type} ${table}[${view.rows.length}] = {${[...view.rows].join(', ')}};`);
    return [`${target} = ${value};`];
  }
  if (!rows.partial)
    return [
      `${target} = ${rowAddress(start, view, affineText('y', rows.factor, rows.addend), highestRow(view))};`,
    ];
  const row = affineText('y', rows.factor, rows.addend);
  const tests = [
    ...(rows.addend < 0 || rows.factor < 0 ? [`${row} >= 0`] : []),
    ...(lastRow(rows, view.rows.length) >= rows.limit ? [`${row} < ${rows.limit}`] : []),
  ];
  return [`${target} = ${tests.join(' && ')} ? ${rowAddress(start, view, row, highestRow(view))} : NULL;`];
}

function lastRow(rows: AffineRows, firings: number): number {
  return Math.max(rows.addend, rows.addend + rows.factor * (firings - 1));
}

/** Address of the place of row `row` (C text), which never exceeds `highest`: start + place * pitch, constants folded. */
export function rowAddress(
  start: string,
  { pitch, ring, turn }: RowView,
  row: string,
  highest: number,
): string {
  const only = highest === 0 ? 0 : /^\d+$/.test(row) ? Number(row) : null;
  if (ring === 1) return start;
  if (only !== null) return offset(start, ((only + turn) % ring) * pitch);
  const turned = plus(row, turn);
  const atom = turned.includes(' ') ? `(${turned})` : turned;
  const place = highest + turn < ring ? atom : `(${atom} % ${ring})`;
  return pitch === 1 ? `${start} + ${place}` : `${start} + ${place} * ${pitch}`;
}

function offset(start: string, bytes: number): string {
  return bytes === 0 ? start : `${start} + ${bytes}`;
}

function highestRow({ rows }: RowView): number {
  return rows.reduce((most, row) => Math.max(most, row), 0);
}

/** Where row 0 of a view lies. */
function base(context: EmitContext, view: Slot | OutputSlot): string {
  if ('source' in view && view.source.kind === 'constant') {
    const name = constantName(context, view.source.constant);
    const data = context.program.constants[view.source.constant]!.data;
    const bytes = data instanceof Int8Array ? name : `(const int8_t *)${name}`;
    return view.offset === 0 ? bytes : `${bytes} + ${view.offset}`;
  }
  const buffer = 'source' in view ? (view.source as { buffer: number }).buffer : view.buffer;
  const address = context.plan.addresses[buffer]! + view.offset;
  return address === 0 ? 'arena' : `arena + ${address}`;
}
