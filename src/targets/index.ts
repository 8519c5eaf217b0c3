/** Targets by name: a core alone, or a board with its memory and clock. */
import { fail } from '../core/diagnostics.ts';
import { BOARDS } from './boards.ts';
import { CORES, type Core } from './cores.ts';

export { BOARDS, type Board } from './boards.ts';
export {
  CORES,
  type Core,
  cyclesEstimate,
  type Machine,
  type MemoryRegion,
  type ToolchainName,
} from './cores.ts';

/** What to compile for. A core alone sets no limits to memory. */
export interface Target {
  readonly kind: 'core' | 'board';
  readonly name: string;
  readonly aliases: readonly string[];
  readonly description: string;
  readonly core: Core;
  readonly clockHz: number;
  /** Bytes of RAM. */
  readonly sram?: number;
  /** Bytes of flash. */
  readonly flash?: number;
}

function coreNamed(name: string): Core {
  return CORES.find((core) => core.name === name) ?? fail('RV3003', `no core is named "${name}"`);
}

/** All targets, cores first. */
export const TARGETS: readonly Target[] = [
  ...CORES.map(
    (core): Target => ({
      kind: 'core',
      name: core.name,
      aliases: core.aliases,
      description: core.name === 'host' ? 'the computer Rivulet runs on' : `any ${core.name}`,
      core,
      clockHz: core.clockHz,
    }),
  ),
  ...BOARDS.map((board): Target => ({ kind: 'board', ...board, core: coreNamed(board.core) })),
];

/** Case, spaces and punctuation do not matter in a name; a plus does. */
function normalise(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9+]/g, '');
}

/** Levenshtein distance: insertions, deletions and replacements that turn `a` into `b`. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}

function nearestNames(name: string, count: number): string[] {
  const wanted = normalise(name);
  return TARGETS.map((target) => ({
    name: target.name,
    distance: Math.min(
      ...[target.name, ...target.aliases].map((known) => editDistance(wanted, normalise(known))),
    ),
  }))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, count)
    .map((candidate) => candidate.name);
}

/** The core or board of that name or alias. Throws RV3003, with the nearest names as a hint. */
export function findTarget(name: string): Target {
  const wanted = normalise(name);
  const found = TARGETS.find((target) =>
    [target.name, ...target.aliases].some((known) => normalise(known) === wanted),
  );
  if (found !== undefined) return found;
  return fail('RV3003', `no core or board is named "${name}"`, {
    hint: `did you mean ${nearestNames(name, 3).join(', ')}?`,
  });
}
