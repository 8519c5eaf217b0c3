/**
 * Ratchets: no model may come to cost more than test/ratchet/budgets.json says, and what got clearly cheaper must be
 * recorded there (`npm run ratchet`), so that the file stays tight. Beside them, the bounds that were promised.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BUDGET_CORE, BUDGET_FILE, type Budgets, describeReach } from '../../bench/budgets.ts';
import { compileFor, type Footprint, FootprintCache } from '../../bench/footprint.ts';
import { modelsAtHand } from '../../bench/models.ts';
import { canRun, detectToolchains } from '../../src/run/toolchain.ts';
import { findTarget } from '../../src/targets/index.ts';

const budgets = JSON.parse(readFileSync(BUDGET_FILE, 'utf8')) as Budgets;
const { tools } = await detectToolchains();

/** Another compiler makes other code: its figures say nothing about a change of ours. */
const COMPARABLE =
  (await canRun(findTarget(BUDGET_CORE).core)) && tools['arm-gcc'].version === budgets.compiler;

/** How far above its budget a figure may lie: other addresses in the arena make other immediate operands. */
const NOISE = 0.001;

/** How far below its budget a figure may lie unrecorded. */
const SLACK = 0.02;

/** Bytes of SRAM that the whole-tensor schedule was promised to stay within. */
const PROMISED_SRAM: Readonly<Record<string, number>> = {
  vww: 79_000,
  detection: 170_000,
  mlperf_vww_96_int8: 39_000,
  mlperf_kws_int8: 12_500,
  mlperf_resnet8_int8: 36_500,
  mlperf_ad_int8: 1_000,
};

const models = modelsAtHand();
const footprints = new FootprintCache();

describe.each(models)('$name', (model) => {
  const compilation = compileFor(model, BUDGET_CORE, 'speed');
  const budget = budgets.models[model.name];

  it('has a budget', () => {
    expect(budget, 'none is recorded: npm run ratchet').toBeDefined();
  });

  it('needs the same SRAM as before', () => {
    expect(compilation.report.sram.total, 'less is good: npm run ratchet').toBe(budget!.sram);
  });

  it.runIf(model.name in PROMISED_SRAM)('needs no more SRAM than promised', () => {
    expect(compilation.report.sram.total).toBeLessThanOrEqual(PROMISED_SRAM[model.name]!);
  });

  it.skipIf(!COMPARABLE)('needs no more flash, stack and instructions than before', async () => {
    const measured = await footprints.of(model, BUDGET_CORE, 'speed');
    expect(violations(measured, budget!)).toEqual([]);
  });
});

describe.each(budgets.reach.map((reach) => ({ ...reach, goal: describeReach(reach) })))('$goal', ({
  model: name,
  core,
  optimize,
  figure,
  bound,
  missed,
  measured: recorded,
}) => {
  const model = models.find((candidate) => candidate.name === name);

  const limit = missed ? (1 + NOISE) * recorded! : bound;

  it.skipIf(!COMPARABLE || model === undefined)(
    missed ? 'is missed by no more than before' : 'is reached',
    async () => {
      const { [figure]: measured } = await footprints.of(model!, core, optimize);
      expect(measured).toBeLessThanOrEqual(limit);
    },
  );

  it(`was ${missed ? 'missed' : 'reached'} when it was last recorded`, () => {
    expect(recorded, 'none is recorded: npm run ratchet').not.toBeNull();
    expect(recorded! > bound, 'budgets.json should say so: missed').toBe(missed === true);
  });
});

/** What lies above its budget, or so far below that the budget should follow. */
function violations(measured: Footprint, budget: Footprint): string[] {
  return (Object.keys(budget) as (keyof Footprint)[]).flatMap((figure) => {
    const [now, before] = [measured[figure], budget[figure]];
    if (now > (1 + NOISE) * before) return [`${figure} grew from ${before} to ${now}`];
    if (now < (1 - SLACK) * before) return [`${figure} fell from ${before} to ${now}: npm run ratchet`];
    return [];
  });
}
