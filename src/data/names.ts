/** Patterns of file names. */
import { fail } from '../core/diagnostics.ts';

/**
 * The expression for names such as `{label}_{speaker}_{take}`: each part in braces is as short as it can be and becomes a
 * group; what lies between is itself.
 * @throws RivuletError RV4001 if the pattern has no part, or one twice
 */
export function namesPattern(pattern: string): RegExp {
  const parts = [...pattern.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
  if (parts.length === 0 || new Set(parts).size < parts.length || parts.some((name) => /^\d/.test(name))) {
    fail('RV4001', `"${pattern}" is no pattern of file names`, {
      hint: 'put each part of a name in braces, once: {label}_{speaker}_{take}',
    });
  }
  const text = pattern
    .split(/(\{\w+\})/)
    .map((part) => (/^\{\w+\}$/.test(part) ? `(?<${part.slice(1, -1)}>.+?)` : part.replace(/[^\w]/g, '\\$&')))
    .join('');
  return new RegExp(`^${text}$`);
}
