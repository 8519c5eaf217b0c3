/** Accuracy by epoch as a picture. */
export interface CurveRun {
  readonly arithmetic: string;
  readonly curve: readonly CurvePoint[];
}

export interface CurvePoint {
  readonly epoch: number;
  readonly trainAccuracy: number | null;
  readonly testAccuracy: number;
}

const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP] = [640, 360, 56, 40, 32];

const COLOURS = ['#0a5bd3', '#d0620a', '#2a8f3c', '#8a3ab9'];

/** Test accuracy of every run, a colour for each arithmetic; that on the training samples in grey if there is one run. */
export function curveSvg(runs: readonly CurveRun[], title: string): string {
  const last = Math.max(1, ...runs.map(({ curve }) => curve.at(-1)?.epoch ?? 1));
  const kinds = [...new Set(runs.map(({ arithmetic }) => arithmetic))];
  const colourOf = (kind: string): string => COLOURS[kinds.indexOf(kind) % COLOURS.length]!;
  const x = (epoch: number): number => LEFT + ((WIDTH - LEFT - 16) * epoch) / last;
  const y = (share: number): number => HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * share;
  const line = (
    curve: readonly CurvePoint[],
    of: (point: CurvePoint) => number | null,
    colour: string,
  ): string => {
    const path = curve.flatMap((point) => {
      const value = of(point);
      return value === null ? [] : [`${x(point.epoch).toFixed(1)},${y(value).toFixed(1)}`];
    });
    return `<polyline fill="none" stroke="${colour}" stroke-width="2" points="${path.join(' ')}"/>`;
  };
  const grid = [0, 0.2, 0.4, 0.6, 0.8, 1].map(
    (share) =>
      `<line x1="${LEFT}" x2="${WIDTH - 16}" y1="${y(share)}" y2="${y(share)}" stroke="#ddd"/><text x="${LEFT - 8}" y="${y(share) + 4}" text-anchor="end">${100 * share} %</text>`,
  );
  const step = Math.ceil(last / 10);
  const epochs = Array.from({ length: Math.floor(last / step) + 1 }, (_, i) => i * step);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12" fill="#222">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    `<text x="${LEFT}" y="20" font-size="14">${title.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</text>`,
    ...grid,
    ...epochs.map(
      (epoch) => `<text x="${x(epoch)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${epoch}</text>`,
    ),
    `<text x="${(LEFT + WIDTH) / 2}" y="${HEIGHT - 6}" text-anchor="middle">epoch</text>`,
    ...(runs.length === 1 ? [line(runs[0]!.curve, (point) => point.trainAccuracy, '#888')] : []),
    ...runs.map(({ arithmetic, curve }) => line(curve, (point) => point.testAccuracy, colourOf(arithmetic))),
    `<text x="${WIDTH - 16}" y="20" text-anchor="end">${legend(kinds, colourOf, runs.length === 1)}</text>`,
    '</svg>',
    '',
  ].join('\n');
}

function legend(kinds: readonly string[], colourOf: (kind: string) => string, withTraining: boolean): string {
  const entry = (colour: string, text: string): string => `<tspan fill="${colour}">${text}</tspan>`;
  const tests = kinds.map((kind) => entry(colourOf(kind), kinds.length === 1 ? 'test' : kind));
  return [...tests, ...(withTraining ? [entry('#888', 'train')] : [])].join(' ');
}
