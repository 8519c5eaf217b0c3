/** How the emitted C finds the row of a firing: a formula where the rows follow one, else a table. */

/** row(y) = y * factor + addend where that lies in [0, limit); absent elsewhere. */
export interface AffineRows {
  readonly factor: number;
  readonly addend: number;
  readonly limit: number;
  /** Some firings have no row. */
  readonly partial: boolean;
}

/** The formula behind a row table, or null when there is none. */
export function affineRows(rows: Int32Array): AffineRows | null {
  const present = [...rows.keys()].filter((y) => rows[y]! >= 0);
  const [first, second] = present;
  if (first === undefined) return null;
  const factor = second === undefined ? 0 : (rows[second]! - rows[first]!) / (second - first);
  if (!Number.isInteger(factor)) return null;
  const addend = rows[first]! - factor * first;
  const limit = present.reduce((most, y) => Math.max(most, rows[y]!), 0) + 1;
  for (let y = 0; y < rows.length; ++y) {
    const row = y * factor + addend;
    if (rows[y] !== (row >= 0 && row < limit ? row : -1)) return null;
  }
  return { factor, addend, limit, partial: present.length < rows.length };
}

/** C text of `variable * factor + addend`, without terms that do nothing. */
export function affineText(variable: string, factor: number, addend: number, extra = ''): string {
  const product = factor === 0 ? '' : factor === 1 ? variable : `${variable} * ${factor}`;
  const terms = [product, extra].filter((term) => term !== '').join(' + ');
  if (terms === '') return String(addend);
  if (addend === 0) return terms;
  return `${terms} ${addend < 0 ? '-' : '+'} ${Math.abs(addend)}`;
}

/** C text of `sum + addend`, joined with the constant at the end of `sum` if there is one. */
export function plus(sum: string, addend: number): string {
  const [, terms = sum, sign = '+', constant = '0'] = /^(.*) ([+-]) (\d+)$/.exec(sum) ?? [];
  return affineText(terms, 1, addend + Number(sign + constant));
}
