/** What training each layer is worth as a picture: a curve for biases, bars for weights, what a scheme trains in colour. */

/** Gains are shares of all answers: 0.01 is a percent point. */
export interface ContributionBars {
  readonly layers: number;
  /** By k: of training the biases of the last k layers. */
  readonly biases: readonly number[];
  readonly weights: readonly { readonly layer: number; readonly ratio: number; readonly gain: number }[];
}

export interface ChosenBars {
  readonly biases: number;
  readonly weights: readonly { readonly layer: number; readonly ratio: number }[];
}

const [WIDTH, PANEL, LEFT, RIGHT, GAP] = [760, 180, 64, 16, 56];
const HEIGHT = 2 * PANEL + 2 * GAP + 24;

/** `title` may hold anything; it is escaped. */
export function contributionsSvg(title: string, bars: ContributionBars, chosen: ChosenBars): string {
  const { layers, biases, weights } = bars;
  const first = layers - (biases.length - 1);
  const slot = (WIDTH - LEFT - RIGHT) / Math.max(1, layers - first);
  const x = (layer: number): number => LEFT + (layer - first) * slot;
  const ratios = [...new Set(weights.map(({ ratio }) => ratio))].sort((a, b) => a - b);
  const bar = slot / (ratios.length + 1);
  const top = [GAP, GAP + PANEL + GAP] as const;
  const biasPanel = panel('biases of this layer and all behind it', biases, top[0]);
  const weightPanel = panel(
    `weights of this layer at ${ratios.join(', ')}, beyond the biases`,
    weights.map(({ gain }) => gain),
    top[1],
  );
  const columns = biases.slice(1).map((gain, i) => {
    const layer = layers - i - 1;
    const colour = i < chosen.biases ? '#0a5bd3' : '#bbb';
    return rectangle(x(layer) + slot * 0.15, slot * 0.7, biasPanel.y(0), biasPanel.y(gain), colour);
  });
  const groups = weights.map(({ layer, ratio, gain }) => {
    const isChosen = chosen.weights.some((entry) => entry.layer === layer && entry.ratio === ratio);
    const at = x(layer) + bar * (ratios.indexOf(ratio) + 0.5);
    return rectangle(at, bar * 0.9, weightPanel.y(0), weightPanel.y(gain), isChosen ? '#0a5bd3' : '#bbb');
  });
  const every = Math.ceil((layers - first) / 24);
  const names = Array.from({ length: layers - first }, (_, i) => first + i).filter(
    (layer) => (layer - first) % every === 0,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12" fill="#222">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    `<text x="${LEFT}" y="20" font-size="14">${escaped(title)}</text>`,
    ...biasPanel.parts,
    ...columns,
    ...weightPanel.parts,
    ...groups,
    ...names.map(
      (layer) =>
        `<text x="${(x(layer) + slot / 2).toFixed(1)}" y="${top[1] + PANEL + 18}" text-anchor="middle">${layer}</text>`,
    ),
    `<text x="${WIDTH - RIGHT}" y="20" text-anchor="end"><tspan fill="#0a5bd3">in the scheme</tspan> <tspan fill="#888">not in it</tspan></text>`,
    '</svg>',
    '',
  ].join('\n');
}

/** Axis, grid and heading of a panel whose upper end is at `top`; gains in percent points. */
function panel(heading: string, gains: readonly number[], top: number) {
  const [low, high] = [Math.min(0, ...gains), Math.max(0, ...gains)];
  const span = high - low || 0.01;
  const y = (gain: number): number => top + PANEL * (1 - (gain - low) / span);
  const ticks = [...new Set([low, 0, high])];
  return {
    y,
    parts: [
      `<text x="${LEFT}" y="${top - 10}">${escaped(heading)}</text>`,
      ...ticks.map(
        (tick) =>
          `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(tick).toFixed(1)}" y2="${y(tick).toFixed(1)}" stroke="#ddd"/><text x="${LEFT - 8}" y="${(y(tick) + 4).toFixed(1)}" text-anchor="end">${(100 * tick).toFixed(1)}</text>`,
      ),
    ],
  };
}

function rectangle(x: number, width: number, from: number, to: number, colour: string): string {
  const [top, height] = [Math.min(from, to), Math.abs(from - to)];
  return `<rect x="${x.toFixed(1)}" y="${top.toFixed(1)}" width="${width.toFixed(1)}" height="${height.toFixed(1)}" fill="${colour}"/>`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`).replace(/\p{Cc}/gu, '?');
}
