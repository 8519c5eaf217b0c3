/** The picture of a Pareto front: SRAM against multiply-accumulates, as a self-contained SVG. */

export interface ParetoDot {
  readonly label: string;
  readonly macs: number;
  readonly sram: number;
}

const WIDTH = 720;
const HEIGHT = 440;
const MARGIN = { left: 80, right: 24, top: 48, bottom: 56 };

/** Dots joined in order of MACs. `title` and labels may hold anything; they are escaped. */
export function paretoSvg(title: string, dots: readonly ParetoDot[]): string {
  const x = scale(
    dots.map(({ macs }) => macs),
    MARGIN.left,
    WIDTH - MARGIN.right,
  );
  const y = scale([0, ...dots.map(({ sram }) => sram)], HEIGHT - MARGIN.bottom, MARGIN.top);
  const path = dots.map(({ macs, sram }, i) => `${i === 0 ? 'M' : 'L'}${x.at(macs)} ${y.at(sram)}`).join('');
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="system-ui, sans-serif" font-size="12">`,
    '<style>svg{background:#fff;color:#222}@media(prefers-color-scheme:dark){svg{background:#16181d;color:#ddd}}text{fill:currentColor}.grid{stroke:currentColor;opacity:.15}.front{fill:none;stroke:#2277cc;stroke-width:2}circle{fill:#2277cc}</style>',
    `<text x="${MARGIN.left}" y="26" font-size="16">${escaped(title)}</text>`,
    ...y.ticks.flatMap((tick) => [
      `<line class="grid" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${y.at(tick)}" y2="${y.at(tick)}"/>`,
      `<text x="${MARGIN.left - 8}" y="${y.at(tick) + 4}" text-anchor="end">${tick.toLocaleString('en-US')}</text>`,
    ]),
    ...x.ticks.map(
      (tick) =>
        `<text x="${x.at(tick)}" y="${HEIGHT - MARGIN.bottom + 20}" text-anchor="middle">${(tick / 1e6).toLocaleString('en-US', { maximumFractionDigits: 2 })}</text>`,
    ),
    `<text x="${WIDTH - MARGIN.right}" y="${HEIGHT - 12}" text-anchor="end">million MACs</text>`,
    `<text x="${MARGIN.left - 8}" y="${MARGIN.top - 10}" text-anchor="end">SRAM, bytes</text>`,
    `<path class="front" d="${path}"/>`,
    ...dots.map(
      ({ label, macs, sram }) =>
        `<circle cx="${x.at(macs)}" cy="${y.at(sram)}" r="4"><title>${escaped(label)}</title></circle>`,
    ),
    '</svg>',
    '',
  ].join('\n');
}

/** A linear scale over the values, with about five round ticks. */
function scale(
  values: readonly number[],
  from: number,
  to: number,
): { at(value: number): number; ticks: number[] } {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const span = high - low || Math.max(1, high);
  const step = roundStep(span / 5);
  const ticks: number[] = [];
  for (let tick = Math.ceil(low / step) * step; tick <= low + span; tick += step) ticks.push(tick);
  return { at: (value) => Math.round(from + ((value - low) / span) * (to - from)), ticks };
}

/** 1, 2 or 5 times a power of ten, not below `x`. */
function roundStep(x: number): number {
  const power = 10 ** Math.floor(Math.log10(x));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= x)!;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`).replace(/\p{Cc}/gu, '?');
}
