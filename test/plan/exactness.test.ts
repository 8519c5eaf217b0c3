/**
 * The checker and the forbidden distances are exact, in both directions: for small programs every address of every
 * buffer is tried, and the verdict must be that of the replay on bytes.
 */
import { describe, expect, it } from 'vitest';
import { RivuletError } from '../../src/core/diagnostics.ts';
import { checkPlan } from '../../src/plan/check.ts';
import { forbiddenDistances } from '../../src/plan/conflicts.ts';
import { cellsOf } from '../../src/plan/liveness.ts';
import { type Plan, plan } from '../../src/plan/plan.ts';
import type { Program } from '../../src/program/types.ts';
import { randomProgram } from './programs.ts';
import { survives } from './replay.ts';
import { randomStream } from './rings.ts';

type Placed = Pick<Plan, 'schedule' | 'addresses' | 'arenaBytes'>;

const PROGRAMS = 60;
const SMALL = { maxRows: 4, maxRowBytes: 3 };

const SAMPLES: readonly (readonly [name: string, program: (seed: number) => Program])[] = [
  ['layers', (seed) => randomProgram(seed, { ...SMALL, calls: 1 + (seed % 4), irregular: false })],
  ['irregular layers', (seed) => randomProgram(seed, { ...SMALL, calls: 1 + (seed % 4), irregular: true })],
  ['streams', (seed) => randomStream(seed, { ...SMALL, stages: 2 + (seed % 3) })],
];

describe.each(SAMPLES)('%s', (name, programOf) => {
  it('the checker accepts exactly the placements that the bytes survive', () => {
    let [accepted, rejected] = [0, 0];
    for (let seed = 0; seed < PROGRAMS; ++seed) {
      const program = programOf(seed);
      const planned = plan(program);
      for (const { id } of program.buffers) {
        for (const placed of everyAddress(program, planned, id)) {
          const verdict = accepts(program, placed);
          expect(verdict, `${name} ${seed}: buffer ${id} at ${placed.addresses[id]}`).toBe(
            survives(program, placed),
          );
          verdict ? ++accepted : ++rejected;
        }
      }
    }
    // The samples exercise both verdicts.
    expect(Math.min(accepted, rejected)).toBeGreaterThan(1000);
  });

  it('the forbidden distances are those at which two buffers spoil each other', () => {
    for (let seed = 0; seed < PROGRAMS; ++seed) {
      const program = programOf(seed);
      const { schedule } = program;
      for (const a of program.buffers) {
        for (const b of program.buffers.slice(a.id + 1)) {
          const forbidden = forbiddenDistances(
            cellsOf(program, schedule, a.id),
            cellsOf(program, schedule, b.id),
          );
          for (let distance = -b.bytes - 1; distance <= a.bytes + 1; ++distance) {
            const isForbidden = forbidden.some(({ low, high }) => low < distance && distance < high);
            const placed = apart(program, a.id, b.id, distance);
            const where = `${name} ${seed}: buffer ${b.id} at ${distance} from buffer ${a.id}`;
            if (!isForbidden) expect(survives(program, placed), `${where} is allowed`).toBe(true);
            else if (!name.startsWith('irregular'))
              expect(survives(program, placed), `${where} is forbidden`).toBe(false);
          }
        }
      }
    }
  });
});

describe('live bytes', () => {
  it('are a true lower bound: no placement in fewer bytes survives', () => {
    let tried = 0;
    for (let seed = 0; seed < 4 * PROGRAMS; ++seed) {
      const program = randomProgram(seed, { ...SMALL, calls: 1 + (seed % 2), irregular: false });
      if (program.buffers.length > 3) continue;
      const { schedule, liveBytes } = plan(program);
      for (const addresses of placements(program, liveBytes - 1)) {
        tried += 1;
        expect(
          survives(program, { schedule, addresses, arenaBytes: liveBytes - 1 }),
          `${seed}: ${addresses}`,
        ).toBe(false);
      }
    }
    expect(tried).toBeGreaterThan(1000);
  });
});

function accepts(program: Program, placed: Placed): boolean {
  try {
    checkPlan(program, placed);
    return true;
  } catch (error) {
    if (error instanceof RivuletError && error.diagnostics[0]?.code === 'RV9002') return false;
    throw error;
  }
}

/** The plan with one buffer moved over the whole arena and a bit beyond, in steps of one byte. */
function* everyAddress(program: Program, planned: Plan, buffer: number): Generator<Placed> {
  const arenaBytes = planned.arenaBytes + program.buffers[buffer]!.bytes;
  for (let address = 0; address <= planned.arenaBytes; ++address) {
    yield { schedule: planned.schedule, addresses: planned.addresses.with(buffer, address), arenaBytes };
  }
}

/** Buffer b at `distance` from a, all others where nothing overlaps. */
function apart(program: Program, a: number, b: number, distance: number): Placed {
  const { bytes } = program.buffers[b]!;
  let next = 2 * bytes + program.buffers[a]!.bytes + 4;
  const addresses = program.buffers.map((buffer) => {
    if (buffer.id === a) return bytes + 1;
    if (buffer.id === b) return bytes + 1 + distance;
    next += buffer.bytes;
    return next - buffer.bytes;
  });
  return { schedule: program.schedule, addresses, arenaBytes: next };
}

/** Every way to lay the buffers into `bytes`. */
function* placements(program: Program, bytes: number, from = 0): Generator<number[]> {
  const buffer = program.buffers[from];
  if (buffer === undefined) yield [];
  else {
    for (let address = 0; address + buffer.bytes <= bytes; ++address) {
      for (const rest of placements(program, bytes, from + 1)) yield [address, ...rest];
    }
  }
}
