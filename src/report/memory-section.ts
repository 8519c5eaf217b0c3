/** SRAM over time: the data that web/memory-view.js draws, and the same in words and tables. */
import type { Program } from '../program/types.ts';
import type { CompileReport } from './compile-report.ts';
import { count, html, json, label, type Markup } from './markup.ts';
import type { Timeline, Track } from './timeline.ts';

export function memorySection({ sram, peak }: CompileReport, program: Program, time: Timeline): Markup {
  const most = time.live[time.peak]!;
  const words = peak
    ? `At most ${count(most)} bytes are live at once, in layer ${peak.layer}: ${label(program.calls[peak.layer]!.origin.op)} “${label(peak.name)}”.`
    : 'Nothing has to be computed.';
  const beside = sram.total > sram.arena ? `, and ${count(sram.total - sram.arena)} bytes lie beside it` : '';
  return html`<section aria-labelledby="memory">
<h2 id="memory">SRAM over time</h2>
<p>The arena has ${count(sram.arena)} bytes${beside}. ${words}
Each step computes one row of one layer; a buffer is coloured where its rows hold data that is still needed.</p>
<div class="view" hidden>
<div class="controls">
<button type="button" data-zoom="all">Whole run</button>
<button type="button" data-zoom="peak">Peak</button>
<button type="button" data-zoom="in" aria-label="Zoom in">+</button>
<button type="button" data-zoom="out" aria-label="Zoom out">−</button>
<input type="range" class="pan" min="0" step="any" aria-label="Visible part of the run">
</div>
<div class="stage" tabindex="0" role="slider" aria-label="Step of the run" aria-valuemin="0" aria-valuenow="0">
<canvas class="drawing" aria-hidden="true"></canvas>
<canvas class="cursor" aria-hidden="true"></canvas>
</div>
<p class="hint">Point at the map, tap it, or use the arrow keys; a click keeps the step.</p>
</div>
<noscript><p class="hint">The map is drawn by JavaScript; the tables below say the same.</p></noscript>
<h3 class="moment">At the peak: ${count(most)} bytes live</h3>
<div class="scroll short" tabindex="0" role="region" aria-label="Live buffers"><table class="live">
<thead><tr><th scope="col">Buffer</th><th scope="col" class="number">Bytes live</th><th scope="col">Rows</th><th scope="col" class="number">Bytes in all</th><th scope="col">Kind</th></tr></thead>
<tbody>
${time.tracks
  .filter((track) => track.atPeak > 0)
  .toSorted((a, b) => b.atPeak - a.atPeak)
  .map(
    (
      track,
    ) => html`<tr><td class="name">${label(track.name)}</td><td class="number">${count(track.atPeak)}</td>
<td></td><td class="number">${count(track.bytes)}</td><td>${track.role}</td></tr>
`,
  )}</tbody>
</table></div>
${bufferTable(time)}
<script type="application/json" id="memory-data">${json(drawing(program, time, sram.arena))}</script>
</section>`;
}

function bufferTable({ tracks }: Timeline): Markup {
  return html`<details>
<summary>All ${count(tracks.length)} buffers and their addresses</summary>
<div class="scroll tall" tabindex="0" role="region" aria-label="All buffers"><table>
<thead><tr><th scope="col">Buffer</th><th scope="col" class="number">Address</th><th scope="col" class="number">Bytes</th><th scope="col">Kind</th></tr></thead>
<tbody>
${tracks
  .toSorted((a, b) => a.address - b.address || a.buffer - b.buffer)
  .map(
    ({ name, address, bytes, role }) => html`<tr><td class="name">${label(name)}</td>
<td class="number">${count(address)}</td><td class="number">${count(bytes)}</td><td>${role}</td></tr>
`,
  )}</tbody>
</table></div>
</details>`;
}

/** Numbers in lists, most of them small differences: a page of 6,000 steps stays below a megabyte. */
function drawing(program: Program, time: Timeline, arena: number): unknown {
  return {
    arena,
    stepsPerColumn: time.stepsPerColumn,
    peak: time.peak,
    live: time.live,
    // Pairs: call, columns.
    calls: runLengths(time.calls),
    layers: program.calls.map(({ origin }) => `${label(origin.op)} “${label(origin.name)}”`),
    buffers: time.tracks.map(({ name, role, address, bytes, rows, blocks }) => ({
      name: label(name),
      role,
      address,
      bytes,
      rows,
      blocks: packBlocks(blocks),
    })),
  };
}

function runLengths(values: readonly number[]): number[] {
  const pairs: number[] = [];
  for (const value of values) {
    if (pairs.at(-2) === value) pairs[pairs.length - 1]! += 1;
    else pairs.push(value, 1);
  }
  return pairs;
}

/**
 * Six numbers a block: start after the previous end, bytes, birth after the previous birth, columns it lives beyond the
 * first, first row after the previous last, rows beyond the first.
 */
function packBlocks(blocks: Track['blocks']): number[] {
  let [end, birth, row] = [0, 0, 0];
  return blocks.flatMap((block) => {
    const packed = [
      block.start - end,
      block.end - block.start,
      block.birth - birth,
      block.death - block.birth,
      block.firstRow - row,
      block.lastRow - block.firstRow,
    ];
    [end, birth, row] = [block.end, block.birth, block.lastRow];
    return packed;
  });
}
