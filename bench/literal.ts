/** Measured tables as TypeScript. */

/** A TypeScript literal: one line per kernel, quotes only where a key needs them. */
export function literal(value: unknown, indent = ''): string {
  if (typeof value === 'string') return `'${value}'`;
  if (Array.isArray(value)) return `[${value.map((item) => literal(item)).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const entries = Object.entries(value).map(([key, item]) => {
    const name = /^[a-z_]\w*$/i.test(key) ? key : `'${key}'`;
    return [name, item] as const;
  });
  const line = `{ ${entries.map(([name, item]) => `${name}: ${literal(item)}`).join(', ')} }`;
  if (indent.length + line.length < 100) return entries.length === 0 ? '{}' : line;
  const inner = `${indent}  `;
  return `{\n${entries.map(([name, item]) => `${inner}${name}: ${literal(item, inner)},\n`).join('')}${indent}}`;
}
