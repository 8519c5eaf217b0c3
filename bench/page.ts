/** Pieces of the pages in docs/ that are measured. */

/** A Markdown table: the first column to the left, numbers to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

/** 1234567 as 1,234,567. */
export function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Puts `text` between the two comments that carry `name`. */
export function replaceBetween(page: string, name: string, text: string): string {
  const [start, end] = [`<!-- ${name} -->\n`, `<!-- end of ${name} -->`];
  const [from, to] = [page.indexOf(start) + start.length, page.indexOf(end)];
  return `${page.slice(0, from)}${text}\n${page.slice(to)}`;
}

/** What stands between the two comments that carry `name`; empty where there are none. */
export function between(page: string, name: string): string {
  const [start, end] = [`<!-- ${name} -->\n`, `<!-- end of ${name} -->`];
  const from = page.indexOf(start);
  return from < 0 ? '' : page.slice(from + start.length, page.indexOf(end)).replace(/\n$/, '');
}
