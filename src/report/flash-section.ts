/** Flash as two pictures: the parts of the whole, and a bar for each layer. */
import type { CompileReport } from './compile-report.ts';
import type { LayerFlash } from './flash-map.ts';
import { count, html, label, type Markup, percent } from './markup.ts';

/** Units of the picture, which stretches to the width of the page. */
const HEIGHT = 100;
const BAR = 10;
const GAP = 2;

export function flashSection({ flash, layers, fit }: CompileReport, map: readonly LayerFlash[]): Markup {
  const parts = [
    { kind: 'weights', name: 'Weights', bytes: flash.weights },
    { kind: 'tables', name: 'Tables', bytes: flash.tables },
    { kind: 'code', name: 'Code (estimate)', bytes: flash.code },
  ];
  const whole = Math.max(flash.total, fit.flash?.available ?? 0, 1);
  const free = fit.flash !== null && fit.flash.margin > 0 ? fit.flash.margin : null;
  const most = Math.max(1, ...map.map(({ constants, code }) => constants + code));
  return html`<section aria-labelledby="flash">
<h2 id="flash">Flash</h2>
<p class="stack" aria-hidden="true">${parts.map(
    ({ kind, bytes }) => html`<span class="${kind}" style="width:${percent(bytes / whole)}"></span>`,
  )}</p>
<ul class="legend">
${parts.map(
  ({ kind, name, bytes }) => html`<li><i class="${kind}"></i>${name} <b>${count(bytes)} B</b></li>
`,
)}${
  free === null
    ? ''
    : html`<li><i class="free"></i>Free <b>${count(free)} B</b></li>
`
}</ul>
<h3>By layer</h3>
<p>From the first layer to the last; the tallest takes ${count(most)} bytes. The code of a kernel is divided among the layers that share it.</p>
<svg class="bars" viewBox="0 0 ${Math.max(1, map.length) * BAR} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="Bytes of flash by layer; the table of layers has the numbers">
${map.map(({ constants, code }, i) => {
  const [high, low] = [(HEIGHT * constants) / most, (HEIGHT * code) / most];
  const title = `layer ${i}, ${label(layers[i]!.op)}: constants ${count(constants)} B, code about ${count(code)} B`;
  return html`<g><title>${title}</title><rect class="hit" x="${i * BAR}" width="${BAR}" height="${HEIGHT}"/>${bar('code', i, low, HEIGHT)}${bar('weights', i, high, HEIGHT - low)}</g>
`;
})}</svg>
<ul class="legend"><li><i class="weights"></i>Weights and tables</li><li><i class="code"></i>Code</li></ul>
</section>`;
}

function bar(kind: string, layer: number, height: number, bottom: number): Markup {
  return html`<rect class="${kind}" x="${layer * BAR + GAP / 2}" y="${short(bottom - height)}" width="${BAR - GAP}" height="${short(height)}"/>`;
}

function short(n: number): number {
  return Number(n.toFixed(2));
}
