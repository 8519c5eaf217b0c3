/** A search in a trained supernet: it may be killed anywhere, and what it says of networks is what the compiler says. */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compile } from '../../src/compile.ts';
import type { RivuletError } from '../../src/core/diagnostics.ts';
import { architectureOf } from '../../src/nas/architecture.ts';
import { modelBytesOf } from '../../src/nas/graph.ts';
import { wasmHost } from '../../src/run/engine/wasm-host.ts';
import { DEFAULT_SETTINGS } from '../../src/search/evolution.ts';
import { type MakeSupernet, makeSupernet } from '../../src/search/make-supernet.ts';
import { limitsFor, runSearch, type SearchRequest, type SearchResult } from '../../src/search/run-search.ts';
import type { SupernetFolder } from '../../src/search/supernet-folder.ts';
import { wayOptions } from '../../src/search/ways.ts';
import { findTarget } from '../../src/targets/index.ts';
import { DEFAULT_RECIPE } from '../../src/train/recipe.ts';
import { IN_PROCESS } from '../../src/workers/in-process.ts';
import type { Batch, Json, Workers } from '../../src/workers/workers.ts';
import { bars } from '../support/bars.ts';
import { temporaryFolder } from '../support/cli.ts';
import { SMALL_SPACE } from '../support/small-space.ts';

const TARGET = findTarget('stm32f103');
const DATA = { name: 'bars', train: bars(240, 1) };
const RECIPE = { ...DEFAULT_RECIPE, epochs: 2, batch: 16, heldOut: 0.25, average: 0.9, recalibration: 4 };
const PLAN = { largest: RECIPE, shared: RECIPE, networks: 2 };
const folder = temporaryFolder();
afterAll(folder.remove);

async function supernetIn(
  name: string,
  progress: MakeSupernet['progress'] = {},
  data = DATA,
): Promise<SupernetFolder> {
  return makeSupernet({
    folder: folder.path(name),
    space: SMALL_SPACE,
    data,
    items: 200,
    plan: PLAN,
    host: await wasmHost(),
    hostName: 'wasm',
    command: 'test',
    progress,
  });
}

let supernet: SupernetFolder;
beforeAll(async () => {
  supernet = await supernetIn('supernet');
});

/** Tight enough that half of the networks do not fit, and that some of the others have to be streamed. */
const LIMITS = { sram: 2000, flash: 18_000 };

function request(ledger: string, more: Partial<SearchRequest> = {}): SearchRequest {
  return {
    supernet,
    data: DATA,
    target: TARGET,
    limits: LIMITS,
    ways: ['whole', 'stream', 'rows'],
    settings: { ...DEFAULT_SETTINGS, population: 5, iterations: 2, parents: 2, mutation: 0.3 },
    predictor: false,
    host: 'wasm',
    workers: IN_PROCESS,
    ledger: folder.path(ledger),
    ...more,
  };
}

/** Workers that are gone after so many jobs, as if the process had been killed. */
function mortal(jobs: number): Workers {
  let left = jobs;
  return {
    ...IN_PROCESS,
    map: <A extends Json, R extends Json>(batch: Batch<A, R>) =>
      IN_PROCESS.map<A, R>({
        ...batch,
        kind: {
          ...batch.kind,
          run: (argument, blobs) => {
            left -= 1;
            if (left < 0) throw new Error('killed');
            return batch.kind.run(argument, blobs);
          },
        },
      }),
  };
}

describe('a supernet in a folder', () => {
  it('ends with the same bytes wherever its training was stopped', async () => {
    const weights = readFileSync(folder.path('supernet/weights.safetensors'));
    for (const stop of [1, 2, 3]) {
      const controller = new AbortController();
      let epochs = 0;
      const stopped = supernetIn(`stopped${stop}`, {
        signal: controller.signal,
        onEpoch: () => {
          epochs += 1;
          if (epochs === stop) controller.abort();
        },
      });
      await expect(stopped).rejects.toThrow();
      expect(existsSync(folder.path(`stopped${stop}/weights.safetensors`))).toBe(false);
      const again: number[] = [];
      await supernetIn(`stopped${stop}`, { onEpoch: (_, { epoch }) => again.push(epoch) });
      expect(again).toHaveLength(4 - stop);
      expect(readFileSync(folder.path(`stopped${stop}/weights.safetensors`)).equals(weights)).toBe(true);
    }
  });

  it('is not made twice', async () => {
    const epochs: number[] = [];
    const again = await supernetIn('supernet', { onEpoch: (_, { epoch }) => epochs.push(epoch) });
    expect(epochs).toEqual([]);
    expect(again.record).toEqual(supernet.record);
  });

  it('is not searched with other data', async () => {
    const other = request('other.jsonl', { data: { name: 'bars', train: bars(238, 3) } });
    await expect(runSearch(other)).rejects.toThrow(/RV6004.*other data/);
  });
});

describe('a search', () => {
  let whole: SearchResult;
  beforeAll(async () => {
    whole = await runSearch(request('whole.jsonl'));
  });

  it('keeps its limits, and says what the compiler says', () => {
    expect(whole.judged).toHaveLength(15);
    expect(new Set(whole.judged.map(({ key }) => key)).size).toBe(15);
    expect(new Set(whole.judged.map(({ cost }) => cost.way)).size).toBeGreaterThan(1);
    for (const { genome, cost } of whole.judged) {
      expect(cost.sram).toBeLessThanOrEqual(LIMITS.sram);
      expect(cost.flash).toBeLessThanOrEqual(LIMITS.flash);
      const model = modelBytesOf(architectureOf(SMALL_SPACE, genome));
      const { report } = compile(model, wayOptions(cost.way, TARGET.name, LIMITS));
      expect(cost).toMatchObject({ sram: report.sram.total, flash: report.flash.total, macs: report.macs });
      expect(cost.latency).toBe(report.latency!.milliseconds);
    }
  });

  it('finds a winner that its weights make good, and a front that no network beats', () => {
    const { winner, front, judged } = whole;
    expect(winner.accuracy).toBe(Math.max(...judged.map(({ accuracy }) => accuracy)));
    expect(winner.accuracy).toBeGreaterThan(0.8);
    expect(front.map(({ key }) => key)).toContain(
      judged
        .filter(({ accuracy }) => accuracy === winner.accuracy)
        .sort((a, b) => a.cost.sram - b.cost.sram)[0]!.key,
    );
    for (const { cost, accuracy } of front) {
      const beaten = judged.some(
        (other) =>
          other.accuracy > accuracy &&
          other.cost.sram <= cost.sram &&
          other.cost.flash <= cost.flash &&
          other.cost.latency! <= cost.latency!,
      );
      expect(beaten).toBe(false);
    }
  });

  it('ends with the same result wherever it was killed', async () => {
    let run = 0;
    const kills = fc.array(fc.nat({ max: 14 }), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(kills, fc.boolean(), async (jobs, tears) => {
        const ledger = `killed${run++}.jsonl`;
        for (const count of jobs) {
          await runSearch(request(ledger, { workers: mortal(count) })).catch((error: Error) => {
            if (error.message !== 'killed') throw error;
          });
          // A line that was not written to its end.
          if (tears) appendFileSync(folder.path(ledger), '{"kind":"search-judge","key":"r8 w1 |');
        }
        expect(await runSearch(request(ledger))).toEqual(whole);
      }),
      { numRuns: 3 },
    );
  });

  it('asks nothing twice', async () => {
    expect(await runSearch(request('whole.jsonl', { workers: mortal(0) }))).toEqual(whole);
    const lines = readFileSync(folder.path('whole.jsonl'), 'utf8').trim().split('\n').slice(1);
    const asked = lines.map((line) => {
      const { kind, key } = JSON.parse(line) as { kind: string; key: string };
      return `${kind} ${key}`;
    });
    expect(new Set(asked).size).toBe(asked.length);
  });

  it('refuses the ledger of another search, and a damaged one', async () => {
    const other = request('whole.jsonl', { limits: { ...LIMITS, sram: 1900 } });
    await expect(runSearch(other)).rejects.toThrow(/RV6004.*another search/);
    const text = readFileSync(folder.path('whole.jsonl'), 'utf8').split('\n');
    writeFileSync(folder.path('damaged.jsonl'), [text[0], 'nonsense', ...text.slice(2)].join('\n'));
    await expect(runSearch(request('damaged.jsonl'))).rejects.toThrow(/RV6004/);
  });

  it('names the limit that nothing keeps', async () => {
    const error = await runSearch(request('none.jsonl', { limits: { ...LIMITS, flash: 900 } })).catch(
      (thrown: unknown) => thrown,
    );
    expect((error as RivuletError).diagnostics[0]).toMatchObject({ code: 'RV6003', origin: '--max-flash' });
  });
});

it('knows the limits of boards, and that a core has none', () => {
  expect(limitsFor(TARGET, { macs: 5 })).toEqual({ sram: 20_480, flash: 131_072, macs: 5 });
  expect(() => limitsFor(findTarget('cortex-m4'), { sram: 9 })).toThrow(/RV3001/);
  expect(() => limitsFor(findTarget('host'), { sram: 9, flash: 9, latency: 1 })).toThrow(/latencies/);
});
