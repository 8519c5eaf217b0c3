/** Kinds of work by their names. */
import { fail } from '../core/diagnostics.ts';
import type { Json, Kind } from './workers.ts';

/** Any kind: what it takes is known to whoever names it. */
export type AnyKind = Kind<never, Json>;

/** The default export of a registry module: kinds by name, loaded when they are needed. */
export type Registry = Readonly<Record<string, () => Promise<AnyKind>>>;

/** The registry of Rivulet itself. Compiled: threads cannot load TypeScript. */
export const KINDS = new URL('./kinds.js', import.meta.url).href;

const loaded = new Map<string, Promise<AnyKind>>();

/** @throws RV9005 for a name that the registry lacks */
export function findKind(registry: string, name: string): Promise<AnyKind> {
  const key = `${registry}#${name}`;
  const kind = loaded.get(key) ?? loadKind(registry, name);
  loaded.set(key, kind);
  return kind;
}

async function loadKind(registry: string, name: string): Promise<AnyKind> {
  const { default: kinds } = (await import(registry)) as { readonly default: Registry };
  const load = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
  return load === undefined ? fail('RV9005', `no kind of work is called "${name}"`) : load();
}
