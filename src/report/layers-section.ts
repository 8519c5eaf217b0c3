/** The table of layers, which web/sortable-table.js sorts. */
import type { CompileReport } from './compile-report.ts';
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
</section>`;
}

/** Measured where there is a measurement, estimated otherwise. */
function instructionColumn({ layers, latency }: CompileReport, measured?: readonly number[]): Column[] {
  if (measured) return [{ title: 'Instructions', numbers: measured }];
  if (latency === null) return [];
  return [{ title: 'Instructions, estimated', numbers: layers.map((layer) => layer.instructions ?? 0) }];
}

function cell({ numbers }: Column, layer: number): Markup {
  const number = numbers[layer]!;
  const share = Number((number / Math.max(1, ...numbers)).toFixed(3));
  return html`<td class="number" data-value="${number}" style="--share:${share}">${count(number)}</td>`;
}

function shapeText(shape: readonly number[] | undefined): string {
  return shape === undefined ? '' : shape.join('×');
}
