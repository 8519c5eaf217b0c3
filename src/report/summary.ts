/** The head of the page: what was compiled for what, whether it fits, and the totals. */
import type { LatencyEstimate } from '../cost/latency.ts';
import type { Target } from '../targets/index.ts';
import type { Fit } from './compile-report.ts';
import { count, html, label, type Markup, percent } from './markup.ts';
import type { PageSource } from './page.ts';

export function summary({ name, target, report }: PageSource, instructions?: readonly number[]): Markup {
  const { sram, flash, fit, latency, layers } = report;
  const executed = instructions?.reduce((sum, n) => sum + n, 0);
  return html`<header>
<p class="eyebrow">Rivulet report</p>
<h1>${label(name)}</h1>
<p class="target">for <strong>${target.name}</strong>, ${target.description}</p>
${verdict(fit)}
<ul class="tiles">
${memoryTile('SRAM', sram.total, fit.sram)}
${memoryTile('Flash', flash.total, fit.flash)}
${tile('Work', html`${count(report.macs)} <small>MACs</small>`, html`${count(layers.length)} layers`)}
${latency === null ? '' : latencyTile(latency, target)}
${executed === undefined ? '' : tile('Instructions', html`${count(executed)}`, html`measured, one inference`)}
</ul>
</header>`;
}

function verdict({ sram, flash, fits }: { sram: Fit | null; flash: Fit | null; fits: boolean }): Markup {
  if (sram === null && flash === null) {
    return html`<p class="verdict">No limits: this target is a core without a board's memories.</p>`;
  }
  const missing = [missingOf('SRAM', sram), missingOf('flash', flash)].filter((text) => text !== '');
  return fits
    ? html`<p class="verdict good"><span aria-hidden="true">✓</span> It fits.</p>`
    : html`<p class="verdict bad"><span aria-hidden="true">✕</span> It does not fit: ${missing.join(' and ')} too many.</p>`;
}

function missingOf(memory: string, fit: Fit | null): string {
  return fit === null || fit.margin >= 0 ? '' : `${count(-fit.margin)} B of ${memory}`;
}

function memoryTile(title: string, total: number, fit: Fit | null): Markup {
  const value = html`${count(total)} <small>B</small>`;
  if (fit === null) return tile(title, value, html`no limit`);
  const share = Math.min(1, total / fit.available);
  const tone = fit.margin < 0 ? 'bad' : 'good';
  const rest = fit.margin < 0 ? `${count(-fit.margin)} B too many` : `${count(fit.margin)} B to spare`;
  return tile(
    title,
    value,
    html`<span class="meter ${tone}"><span style="width:${percent(share)}"></span></span>
of ${count(fit.available)} B: ${rest}`,
  );
}

function latencyTile({ milliseconds, clockHz, unmeasured }: LatencyEstimate, { core }: Target): Markup {
  const about = Number(milliseconds.toPrecision(3));
  const guessed =
    unmeasured.length === 0 ? '' : html`; never measured on ${core.name}: ${unmeasured.join(', ')}`;
  return tile(
    'Latency',
    html`${about} <small>ms</small>`,
    html`estimate at ${clockHz / 1e6} MHz without wait states${guessed}`,
  );
}

function tile(title: string, value: Markup, note: Markup): Markup {
  return html`<li><h2>${title}</h2><p class="value">${value}</p><p class="note">${note}</p></li>
`;
}
