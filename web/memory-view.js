/**
 * Draws SRAM over time: the curve of live bytes, the arena with the rows that lie in it, and which layer computes.
 * Time runs to the right, one column a step (or several, where a run is very long). The data comes from the page.
 */

const data = JSON.parse(document.getElementById('memory-data').textContent);
const view = document.querySelector('.view');
const stage = view.querySelector('.stage');
const [drawing, overlay] = stage.querySelectorAll('canvas');
const pan = view.querySelector('.pan');
const moment = document.querySelector('.moment');
const liveTable = document.querySelector('table.live');
const columns = data.live.length;
const callAt = data.calls.flatMap((call, i) => (i % 2 === 0 ? new Array(data.calls[i + 1]).fill(call) : []));
const buffers = data.buffers.map((buffer) => ({ ...buffer, blocks: unpack(buffer.blocks) }));
paintInOrderOfBirth();

/** Visible columns [from, to); the step that is shown; the one a click keeps; the buffer under the pointer. */
const state = { from: 0, to: columns, column: data.peak, kept: data.peak, pointed: null };
const SMALLEST_RANGE = Math.min(columns, 12);

function unpack(packed) {
  const blocks = [];
  let [end, birth, row] = [0, 0, 0];
  for (let i = 0; i < packed.length; i += 6) {
    const start = end + packed[i];
    end = start + packed[i + 1];
    birth += packed[i + 2];
    const firstRow = row + packed[i + 4];
    row = firstRow + packed[i + 5];
    blocks.push({ start, end, birth, death: birth + packed[i + 3], firstRow, lastRow: row });
  }
  return blocks;
}

/** Buffers that follow each other in time get different colours. */
function paintInOrderOfBirth() {
  const firstBirth = (buffer) =>
    buffer.blocks.reduce((least, block) => Math.min(least, block.birth), columns);
  const ordered = buffers.filter((buffer) => buffer.role !== 'scratch');
  ordered.sort((a, b) => firstBirth(a) - firstBirth(b));
  for (const buffer of buffers) buffer.colour = '--scratch';
  ordered.forEach((buffer, i) => {
    buffer.colour = `--b${i % 8}`;
  });
}

const count = (n) => Math.round(n).toLocaleString('en-US');
const colour = (variable) => getComputedStyle(document.documentElement).getPropertyValue(variable).trim();
const clamp = (n, low, high) => Math.min(high, Math.max(low, n));

/** Where everything lies, in CSS pixels. */
function layout() {
  const width = stage.clientWidth;
  const height = stage.clientHeight;
  const narrow = width < 600;
  const left = narrow ? 52 : 68;
  const right = width - (narrow ? 10 : 18);
  const curve = { top: 28, bottom: Math.round(height * 0.23) };
  const layers = { top: Math.round(height * 0.79), bottom: height - 26 };
  const map = { top: curve.bottom + 26, bottom: layers.top - 24 };
  const x = (column) => left + ((column - state.from) / (state.to - state.from)) * (right - left);
  const bytesTo =
    ({ top, bottom }) =>
    (bytes) =>
      bottom - (bytes / Math.max(1, data.arena)) * (bottom - top);
  return { width, height, left, right, curve, map, layers, x, liveY: bytesTo(curve), arenaY: bytesTo(map) };
}

/** A context whose unit is a CSS pixel, on an empty canvas. */
function fresh(canvas, { width, height }) {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext('2d');
  context.scale(ratio, ratio);
  context.font = '12px system-ui, sans-serif';
  context.textBaseline = 'middle';
  return context;
}

function draw() {
  const box = layout();
  const context = fresh(drawing, box);
  drawFrames(context, box);
  context.save();
  context.beginPath();
  context.rect(box.left, 0, box.right - box.left, box.height);
  context.clip();
  drawCurve(context, box);
  drawBlocks(context, box);
  drawLayers(context, box);
  context.restore();
  drawPeak(context, box);
  drawCursor();
}

/** 1, 2 or 5 times a power of ten, so that about `wanted` of them fill `range`. */
function tickStep(range, wanted) {
  const rough = Math.max(1, range / wanted);
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
}

function drawFrames(context, { left, right, curve, map, layers, liveY, arenaY, x, height }) {
  context.fillStyle = colour('--soft');
  context.strokeStyle = colour('--line');
  context.textAlign = 'left';
  context.fillText('Live bytes', left, curve.top - 14);
  context.fillText('Address in the arena', left, map.top - 12);
  context.fillText('Layer that computes', left, layers.top - 12);
  context.textAlign = 'right';
  const levels = (y, { bottom, top }, wanted) => {
    const step = tickStep(data.arena, wanted);
    for (let bytes = 0; bytes <= data.arena; bytes += step) {
      const at = Math.round(y(bytes)) + 0.5;
      line(context, left, at, right, at);
      if (at > top - 8 && at <= bottom + 1) context.fillText(count(bytes), left - 8, at);
    }
  };
  levels(liveY, curve, 2);
  levels(arenaY, map, 6);
  context.fillText('0', left - 8, layers.top + 5);
  context.fillText(count(Math.max(0, data.layers.length - 1)), left - 8, layers.bottom - 5);
  line(context, left, layers.bottom + 0.5, right, layers.bottom + 0.5);
  context.textAlign = 'center';
  const step = tickStep((state.to - state.from) * data.stepsPerColumn, (right - left) / 90);
  const first = Math.ceil((state.from * data.stepsPerColumn) / step) * step;
  for (let time = first; time < state.to * data.stepsPerColumn; time += step) {
    const at = x(time / data.stepsPerColumn);
    const label = time === 0 && state.from === 0 ? 'step 0' : count(time);
    context.fillText(label, clamp(at, left + 16, right - 16), height - 12);
  }
}

function line(context, x1, y1, x2, y2) {
  context.beginPath();
  context.moveTo(x1, y1);
  context.lineTo(x2, y2);
  context.stroke();
}

function drawCurve(context, { x, liveY, curve }) {
  const first = Math.max(0, Math.floor(state.from));
  const last = Math.min(columns, Math.ceil(state.to));
  context.beginPath();
  context.moveTo(x(first), curve.bottom);
  for (let column = first; column < last; ++column) {
    context.lineTo(x(column), liveY(data.live[column]));
    context.lineTo(x(column + 1), liveY(data.live[column]));
  }
  context.lineTo(x(last), curve.bottom);
  context.strokeStyle = colour('--accent');
  context.fillStyle = colour('--accent');
  context.globalAlpha = 0.22;
  context.fill();
  context.globalAlpha = 1;
  context.lineWidth = 1.5;
  context.stroke();
  context.lineWidth = 1;
}

/** Odd rows are a shade lighter, so that rows can be told apart where there is room. */
function drawBlocks(context, { x, arenaY }) {
  for (const buffer of buffers) {
    context.fillStyle = colour(buffer.colour);
    const dimmed = state.pointed !== null && state.pointed !== buffer ? 0.3 : 1;
    for (const { start, end, birth, death, firstRow } of buffer.blocks) {
      if (death + 1 < state.from || birth > state.to) continue;
      const top = arenaY(buffer.address + end);
      const left = x(birth);
      context.globalAlpha = dimmed * (firstRow % 2 === 0 ? 0.92 : 0.74);
      context.fillRect(
        left,
        top,
        Math.max(0.5, x(death + 1) - left),
        Math.max(0.5, arenaY(buffer.address + start) - top),
      );
    }
  }
  context.globalAlpha = 1;
}

/** A mark a column: a staircase where layers run one after the other, bands where they take turns. */
function drawLayers(context, { x, layers }) {
  const lane = (layers.bottom - layers.top) / Math.max(1, data.layers.length);
  context.fillStyle = colour('--ink');
  for (let column = 0; column < columns; ) {
    let end = column + 1;
    while (end < columns && callAt[end] === callAt[column]) ++end;
    if (callAt[column] >= 0 && end >= state.from && column <= state.to) {
      const top = layers.top + callAt[column] * lane;
      context.fillRect(x(column), top, Math.max(0.75, x(end) - x(column)), Math.max(1.5, lane));
    }
    column = end;
  }
}

function drawPeak(context, { x, liveY, layers, curve, left, right }) {
  const at = x(data.peak + 0.5);
  if (at < left || at > right) return;
  context.strokeStyle = colour('--bad');
  context.fillStyle = colour('--bad');
  context.setLineDash([3, 3]);
  line(context, at, curve.top - 4, at, layers.bottom);
  context.setLineDash([]);
  context.beginPath();
  context.arc(at, liveY(data.live[data.peak]), 3.5, 0, 2 * Math.PI);
  context.fill();
  context.font = '600 12px system-ui, sans-serif';
  const onLeft = at > (left + right) / 2;
  context.textAlign = onLeft ? 'right' : 'left';
  // Beside the title of the curve.
  const textX = onLeft ? at - 8 : Math.max(at + 8, left + 76);
  context.fillText(`peak ${count(data.live[data.peak])}`, textX, curve.top - 14);
}

function drawCursor() {
  const box = layout();
  const context = fresh(overlay, box);
  const at = box.x(state.column + 0.5);
  if (at < box.left || at > box.right) return;
  context.strokeStyle = colour('--ink');
  line(context, at, box.curve.top, at, box.layers.bottom);
}

const blocksAt = (buffer, column) =>
  buffer.blocks.filter((block) => block.birth <= column && column <= block.death);

/** `3 to 9 of 40`; a ring may hold two stretches at once. */
function rowsText(buffer, blocks) {
  const rows = new Set();
  for (const { firstRow, lastRow } of blocks) for (let row = firstRow; row <= lastRow; ++row) rows.add(row);
  rows.delete(-1);
  const sorted = [...rows].sort((a, b) => a - b);
  if (sorted.length === 0) return '';
  const stretches = [];
  for (const row of sorted) {
    const last = stretches.at(-1);
    if (last !== undefined && row === last[1] + 1) last[1] = row;
    else stretches.push([row, row]);
  }
  const text = stretches.map(([first, last]) => (first === last ? `${first}` : `${first}–${last}`));
  return `${text.length > 4 ? `${sorted.length} rows` : text.join(', ')} of ${buffer.rows}`;
}

/** What happens in the column, in words; and the buffers that hold something, as rows of the table. */
function describe() {
  const { column } = state;
  const layer = callAt[column];
  const doing =
    layer >= 0
      ? `layer ${layer}, ${data.layers[layer]}`
      : column === 0
        ? 'before the first layer'
        : 'after the last layer';
  const peak = column === data.peak ? ', the peak' : '';
  moment.textContent = `Step ${count(column * data.stepsPerColumn)}${peak}: ${count(data.live[column])} bytes live, ${doing}`;
  stage.setAttribute('aria-valuemax', String(columns - 1));
  stage.setAttribute('aria-valuenow', String(column));
  stage.setAttribute('aria-valuetext', moment.textContent);
  const live = buffers.map((buffer) => ({ buffer, blocks: blocksAt(buffer, column) }));
  const rows = live
    .filter(({ blocks }) => blocks.length > 0)
    .map(({ buffer, blocks }) => ({
      buffer,
      blocks,
      bytes: blocks.reduce((sum, { start, end }) => sum + end - start, 0),
    }))
    // What is pointed at comes first: the table shows only a few rows at once.
    .sort((a, b) => (b.buffer === state.pointed) - (a.buffer === state.pointed) || b.bytes - a.bytes)
    .map(tableRow);
  liveTable.tBodies[0].replaceChildren(...rows);
}

function tableRow({ buffer, blocks, bytes }) {
  const row = document.createElement('tr');
  if (buffer === state.pointed) row.className = 'pointed';
  const name = document.createElement('td');
  const chip = document.createElement('i');
  chip.style.background = `var(${buffer.colour})`;
  name.className = 'name';
  name.append(chip, buffer.name);
  const cell = (text, style) => {
    const td = document.createElement('td');
    td.className = style;
    td.textContent = text;
    return td;
  };
  row.append(
    name,
    cell(count(bytes), 'number'),
    cell(rowsText(buffer, blocks), 'rows'),
    cell(count(buffer.bytes), 'number'),
    cell(buffer.role, ''),
  );
  return row;
}

function bufferAt(column, address) {
  let found = null;
  let youngest = -1;
  for (const buffer of buffers) {
    for (const { start, end, birth } of blocksAt(buffer, column)) {
      const inside = buffer.address + start <= address && address < buffer.address + end;
      if (inside && birth > youngest) [found, youngest] = [buffer, birth];
    }
  }
  return found;
}

function show(column, pointed = null) {
  const redraw = pointed !== state.pointed;
  state.column = clamp(column, 0, columns - 1);
  state.pointed = pointed;
  describe();
  if (redraw) draw();
  else drawCursor();
}

function showRange(from, range) {
  const size = clamp(range, SMALLEST_RANGE, columns);
  state.from = clamp(from, 0, columns - size);
  state.to = state.from + size;
  pan.max = String(columns - size);
  pan.value = String(state.from);
  pan.disabled = size === columns;
  draw();
}

function pointAt(event) {
  const box = layout();
  const bounds = stage.getBoundingClientRect();
  const [x, y] = [
    event.clientX - bounds.left - stage.clientLeft,
    event.clientY - bounds.top - stage.clientTop,
  ];
  const column = state.from + ((x - box.left) / (box.right - box.left)) * (state.to - state.from);
  const address = ((box.map.bottom - y) / (box.map.bottom - box.map.top)) * data.arena;
  const within = clamp(Math.floor(column), Math.floor(state.from), Math.ceil(state.to) - 1);
  show(within, bufferAt(clamp(within, 0, columns - 1), address));
}

stage.addEventListener('pointermove', pointAt);
stage.addEventListener('pointerdown', (event) => {
  pointAt(event);
  state.kept = state.column;
});
stage.addEventListener('pointerleave', (event) => {
  if (event.pointerType === 'mouse') show(state.kept);
});
stage.addEventListener('keydown', (event) => {
  const page = Math.max(1, Math.round((state.to - state.from) / 20));
  const moves = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageUp: page, PageDown: -page };
  const target = { Home: 0, End: columns - 1 }[event.key] ?? state.kept + (moves[event.key] ?? Number.NaN);
  if (Number.isNaN(target)) return;
  event.preventDefault();
  state.kept = clamp(target, 0, columns - 1);
  show(state.kept);
  const range = state.to - state.from;
  if (state.kept < state.from || state.kept >= state.to) showRange(state.kept - range / 2, range);
});
pan.addEventListener('input', () => showRange(Number(pan.value), state.to - state.from));

const ZOOMS = {
  all: () => showRange(0, columns),
  peak: () => {
    const range = Math.max(40, columns / 8);
    showRange(data.peak - range / 2, range);
    state.kept = data.peak;
    show(data.peak);
  },
  in: () => zoom(0.5),
  out: () => zoom(2),
};

/** About the step that is shown, where it stays in sight. */
function zoom(factor) {
  const range = state.to - state.from;
  const centre = clamp(state.column, state.from, state.to);
  showRange(centre - (centre - state.from) * factor, range * factor);
}

for (const button of view.querySelectorAll('[data-zoom]')) {
  button.addEventListener('click', () => ZOOMS[button.dataset.zoom]());
}

view.hidden = false;
showRange(0, columns);
show(data.peak);
new ResizeObserver(draw).observe(stage);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
