/** Cumulative distributions as a picture: how large a share of each set of values lies below a value. */

export interface Distribution {
  readonly label: string;
  /** Ascending, at least one. */
  readonly values: readonly number[];
}

const [WIDTH, HEIGHT, LEFT, RIGHT, BOTTOM, TOP] = [760, 420, 56, 190, 44, 36];
const STEPS = 100;

/**
 * @param distributions the first is drawn thick; the legend has all, in their order
 * @param unit of the values, with what a value is divided by
 */
export function cdfSvg(
  title: string,
  distributions: readonly Distribution[],
  unit: { readonly name: string; readonly size: number },
): string {
  const most = Math.max(...distributions.map(({ values }) => values.at(-1)!));
  const x = (value: number): string => (LEFT + ((WIDTH - LEFT - RIGHT) * value) / most).toFixed(1);
  const y = (share: number): string => (HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * share).toFixed(1);
  const shares = [0, 0.2, 0.4, 0.6, 0.8, 1];
  const curves = distributions.map(({ label, values }, i) => {
    const points = Array.from({ length: STEPS + 1 }, (_, step) => {
      const value = values[Math.round((step / STEPS) * (values.length - 1))]!;
      return `${x(value)},${y(step / STEPS)}`;
    });
    const colour = `hsl(${Math.round((360 * i) / distributions.length)} 70% 42%)`;
    const line = TOP + 8 + 18 * i;
    return [
      `<polyline fill="none" stroke="${colour}" stroke-width="${i === 0 ? 3 : 1.5}" points="${points.join(' ')}"/>`,
      `<text x="${WIDTH - RIGHT + 16}" y="${line}" fill="${colour}"${i === 0 ? ' font-weight="bold"' : ''}>${escaped(label)}</text>`,
    ].join('');
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12" fill="#222">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    `<text x="${LEFT}" y="20" font-size="14">${escaped(title)}</text>`,
    ...shares.map(
      (share) =>
        `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(share)}" y2="${y(share)}" stroke="#ddd"/><text x="${LEFT - 8}" y="${Number(y(share)) + 4}" text-anchor="end">${Math.round(100 * share)} %</text>`,
    ),
    ...shares.map(
      (share) =>
        `<text x="${x(share * most)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${((share * most) / unit.size).toFixed(1)}</text>`,
    ),
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 8}" text-anchor="middle">${escaped(unit.name)}</text>`,
    ...curves,
    '</svg>',
    '',
  ].join('\n');
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`).replace(/\p{Cc}/gu, '?');
}
