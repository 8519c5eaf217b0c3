/** Names in the emitted C. Grammar: everything that links or is included by the user starts with the model's name. */
import { fail } from '../core/diagnostics.ts';

const KEYWORDS = new Set(
  `auto break case char const continue default do double else enum extern float for goto if inline int long register
  restrict return short signed sizeof static struct switch typedef union unsigned void volatile while main`.split(
    /\s+/,
  ),
);

/** A C identifier for a model: lower case, digits and underscores. Throws RV3001 for a name that cannot be one. */
export function requireIdentifier(name: string): string {
  if (!/^[a-z][a-z0-9_]{0,62}$/.test(name) || KEYWORDS.has(name) || name.startsWith('rv_')) {
    fail('RV3001', `"${name}" cannot be the model's name in C`, {
      origin: '--name',
      hint: 'use lower-case letters, digits and underscores, starting with a letter; not a C keyword, not rv_',
    });
  }
  return name;
}

/** The nearest identifier to a file name. */
export function identifierFrom(text: string): string {
  const cleaned = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .slice(0, 48);
  const name = /^[a-z]/.test(cleaned) && !cleaned.startsWith('rv_') ? cleaned : `model_${cleaned}`;
  return KEYWORDS.has(name) ? `${name}_model` : name.replace(/_+$/, '');
}

/** Text that is safe inside a C comment: one line, printable ASCII, no comment delimiters. */
export function commentText(text: string): string {
  return text
    .replace(/[^\x20-\x7e]/g, '?')
    .replaceAll('*/', '* /')
    .replaceAll('/*', '/ *')
    .replace(/\\$/, '\\ ')
    .slice(0, 100);
}

/** A C string literal's contents. */
export function stringText(text: string): string {
  return text
    .replace(/[^\x20-\x7e]/g, '?')
    .replace(/[\\"]/g, '\\$&')
    .replaceAll('??', '?\\?');
}
