/** The table of layers, which web/sortable-table.js sorts. */
import { type CompileReport, removedTotals } from './compile-report.ts';
import type { LayerFlash } from './flash-map.ts';
import { count, html, label, type Markup } from './markup.ts';
import type { PageSource } from './page.ts';

/** One number a layer, drawn as a bar as well. */
interface Column {
  readonly title: string;
  readonly numbers: readonly number[];
}

export function layersSection(
  { program, report }: PageSource,
  flash: readonly LayerFlash[],
  instructions?: readonly number[],
): Markup {
  const { layers, peak } = report;
  const columns: Column[] = [
    { title: 'MACs', numbers: layers.map((layer) => layer.macs) },
    ...instructionColumn(report, instructions),
    { title: 'Live SRAM', numbers: layers.map((layer) => layer.sram) },
    { title: 'Constants', numbers: flash.map((layer) => layer.constants) },
  ];
  return html`<section aria-labelledby="layers">
<h2 id="layers">Layers</h2>
<p>SRAM and constants in bytes. A click on a heading sorts.</p>
<div class="scroll tall" tabindex="0" role="region" aria-label="Layers"><table class="sortable">
<thead><tr><th scope="col" class="number" aria-sort="ascending">#</th><th scope="col">Operator and name</th>${columns.map(
    ({ title }) => html`<th scope="col" class="number">${title}</th>`,
  )}<th scope="col">Output</th><th scope="col">Kernel and why</th></tr></thead>
<tbody>
${layers.map(({ op, name, kernel, why }, i) => {
  const mark = i === peak?.layer ? html` <b class="peak">sets the peak</b>` : '';
  return html`<tr><th scope="row" class="number" data-value="${i}">${i}</th>
<td class="name">${label(op)}${mark}<span class="sub">${label(name)}</span></td>
${columns.map((column) => cell(column, i))}
<td class="shape">${shapeText(program.calls[i]!.result?.shape)}</td>
<td class="why"><code>${kernel}</code><span class="sub">${label(why)}</span></td></tr>
`;
})}</tbody>
</table></div>
${removedPart(report)}
</section>`;
}

/** Measured where there is a measurement, estimated otherwise. */
function instructionColumn({ layers, latency }: CompileReport, measured?: readonly number[]): Column[] {
  if (measured) return [{ title: 'Instructions', numbers: measured }];
  if (latency === null) return [];
  return [{ title: 'Instructions, estimated', numbers: layers.map((layer) => layer.instructions ?? 0) }];
}

/** What the model has and the firmware does not compute, with the proof. */
function removedPart(report: CompileReport): Markup | string {
  const { channels, macs } = removedTotals(report);
  if (channels === 0) return '';
  return html`<h3>Not computed</h3>
<p>${count(channels)} channels of the model hold the same value for every possible input, or reach no output. They are
removed, and what they add to later sums is in the biases: ${count(macs)} MACs fewer, the same bytes.</p>
<div class="scroll tall" tabindex="0" role="region" aria-label="Removed channels"><table>
<thead><tr><th scope="col" class="number">Operator</th><th scope="col">Operator and name</th><th scope="col" class="number">Channels</th><th scope="col" class="number">MACs saved</th><th scope="col">Proof</th></tr></thead>
<tbody>
${report.removed.map(
  ({
    operator,
    op,
    name,
    channels: gone,
    of,
    macs: all,
    macsSaved,
    proof,
  }) => html`<tr><th scope="row" class="number">${operator}</th>
<td class="name">${label(op)}<span class="sub">${label(name)}</span></td>
<td class="number">${count(gone.length)} of ${count(of)}</td>
<td class="number">${count(macsSaved)} of ${count(all)}</td>
<td class="why">${proof}</td></tr>
`,
)}</tbody>
</table></div>`;
}

function cell({ numbers }: Column, layer: number): Markup {
  const number = numbers[layer]!;
  const share = Number((number / Math.max(1, ...numbers)).toFixed(3));
  return html`<td class="number" data-value="${number}" style="--share:${share}">${count(number)}</td>`;
}

function shapeText(shape: readonly number[] | undefined): string {
  return shape === undefined ? '' : shape.join('×');
}
