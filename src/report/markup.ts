/** HTML text that is safe by construction: what is not `Markup` already is escaped where it is filled in. */

/** Longer labels are cut in their middle, where the names of layers differ least. */
const LABEL_LIMIT = 120;

/** A piece of HTML. Only `html` makes one. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type Part = Markup | string | number | readonly Part[];

/** A template whose strings and numbers are escaped; pieces of markup, and lists of them, stand as they are. */
export function html(literals: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(literals.map((literal, i) => (i === 0 ? '' : textOf(parts[i - 1]!)) + literal).join(''));
}

function textOf(part: Part): string {
  if (part instanceof Markup) return part.text;
  return typeof part === 'object' ? part.map(textOf).join('') : escapeHtml(String(part));
}

/** Safe as the text of an element and inside a quoted attribute. */
function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/** The text of a program of this project: it must not contain the end of its own element. */
export function trusted(text: string): Markup {
  return new Markup(text);
}

/** A value as JSON that is safe inside a script element: no `<` can end the element or begin a comment. */
export function json(value: unknown): Markup {
  return new Markup(JSON.stringify(value).replaceAll('<', '\\u003c'));
}

/** A name from a file of unknown origin: no control, direction or broken characters, and not endless. */
export function label(name: string): string {
  const text = Array.from(name.replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, '?'));
  if (text.length <= LABEL_LIMIT) return text.join('');
  const half = LABEL_LIMIT / 2;
  return `${text.slice(0, half - 1).join('')}…${text.slice(text.length - half).join('')}`;
}

/** 21600 -> 21,600. */
export function count(n: number): string {
  return n.toLocaleString('en-US', { maximumFractionDigits: 0 });
}

/** 0.125 -> 12.5%, as CSS takes it. */
export function percent(share: number): string {
  return `${Number((100 * share).toFixed(2))}%`;
}
