/** Networks as dots, accuracy against what they cost, as a self-contained SVG with a panel for each cost. */

export interface Dot {
  readonly label: string;
  /** In the unit of the panel. */
  readonly cost: number;
  /** Percent. */
  readonly accuracy: number;
  readonly isOnFront: boolean;
  readonly isWinner: boolean;
}

export interface Panel {
  /** With the unit. */
  readonly title: string;
  readonly dots: readonly Dot[];
}

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [360, 320, 52, 16, 24, 44];

/** `title` and labels may hold anything; they are escaped. */
export function scatterSvg(title: string, panels: readonly Panel[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH * panels.length} ${HEIGHT + 32}" font-family="system-ui, sans-serif" font-size="12">`,
    '<style>svg{background:#fff;color:#222}@media(prefers-color-scheme:dark){svg{background:#16181d;color:#ddd}}text{fill:currentColor}.grid{stroke:currentColor;opacity:.15}.front{fill:none;stroke:#2277cc;stroke-width:2}.dot{fill:currentColor;opacity:.25}.best{fill:#2277cc}.winner{fill:#d2392b}</style>',
    `<text x="${LEFT}" y="22" font-size="16">${escaped(title)}</text>`,
    ...panels.map((panel, i) => `<g transform="translate(${i * WIDTH} 32)">${drawn(panel)}</g>`),
    '</svg>',
    '',
  ].join('\n');
}

function drawn({ title, dots }: Panel): string {
  const x = axis(
    dots.map(({ cost }) => cost),
    LEFT,
    WIDTH - RIGHT,
  );
  const y = axis(
    dots.map(({ accuracy }) => accuracy),
    HEIGHT - BOTTOM,
    TOP,
  );
  const front = dots.filter(({ isOnFront }) => isOnFront).toSorted((a, b) => a.cost - b.cost);
  const order = dots.toSorted((a, b) => rank(a) - rank(b));
  return [
    ...y.ticks.map(
      (tick) =>
        `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y.at(tick)}" y2="${y.at(tick)}"/><text x="${LEFT - 6}" y="${y.at(tick) + 4}" text-anchor="end">${shown(tick)} %</text>`,
    ),
    ...x.ticks.map(
      (tick) =>
        `<text x="${x.at(tick)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${shown(tick)}</text>`,
    ),
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 8}" text-anchor="middle">${escaped(title)}</text>`,
    `<path class="front" d="${front.map(({ cost, accuracy }, i) => `${i === 0 ? 'M' : 'L'}${x.at(cost)} ${y.at(accuracy)}`).join('')}"/>`,
    ...order.map(
      (dot) =>
        `<circle class="${dot.isWinner ? 'winner' : dot.isOnFront ? 'best' : 'dot'}" cx="${x.at(dot.cost)}" cy="${y.at(dot.accuracy)}" r="${dot.isWinner ? 6 : 3}"><title>${escaped(dot.label)}</title></circle>`,
    ),
  ].join('');
}

/** What is drawn last lies on top. */
function rank({ isWinner, isOnFront }: Dot): number {
  return isWinner ? 2 : isOnFront ? 1 : 0;
}

/** A linear axis over the values, with about four round ticks. */
function axis(values: readonly number[], from: number, to: number) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const span = high - low || Math.max(1, Math.abs(high));
  const power = 10 ** Math.floor(Math.log10(span / 4));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= span / 4)!;
  const ticks: number[] = [];
  for (let tick = Math.ceil(low / step) * step; tick <= high + step / 1e6; tick += step) ticks.push(tick);
  return { at: (value: number) => Math.round(from + ((value - low) / span) * (to - from)), ticks };
}

function shown(tick: number): string {
  return tick.toLocaleString('en-US', { maximumFractionDigits: 2 });
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`).replace(/\p{Cc}/gu, '?');
}
