/** Accuracy by epoch as a picture. */
export interface CurvePoint {
  readonly epoch: number;
  readonly trainAccuracy: number | null;
  readonly testAccuracy: number;
}

const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP] = [640, 360, 56, 40, 32];

/** @param points by ascending epoch */
export function curveSvg(points: readonly CurvePoint[], title: string): string {
  const last = Math.max(1, points.at(-1)?.epoch ?? 1);
  const x = (epoch: number): number => LEFT + ((WIDTH - LEFT - 16) * epoch) / last;
  const y = (share: number): number => HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * share;
  const line = (of: (point: CurvePoint) => number | null, colour: string): string => {
    const path = points.flatMap((point) => {
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
    line((point) => point.trainAccuracy, '#888'),
    line((point) => point.testAccuracy, '#0a5bd3'),
    `<text x="${WIDTH - 16}" y="20" text-anchor="end"><tspan fill="#0a5bd3">test</tspan> <tspan fill="#888">train</tspan></text>`,
    '</svg>',
    '',
  ].join('\n');
}
