/**
 * Training on a device may come to cost no more than test/ratchet/training.json says, and what got clearly cheaper must be
 * recorded there (`npm run ratchet`). Beside that, the bounds that were promised.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  hasBackbone,
  measureDeviceTraining,
  TRAINING_CORE,
  TRAINING_FILE,
  type TrainingBudget,
  type TrainingCost,
} from '../../bench/device-training.ts';
import { canRun, detectToolchains } from '../../src/run/toolchain.ts';
import { findTarget } from '../../src/targets/index.ts';

const { compiler, cost } = JSON.parse(readFileSync(TRAINING_FILE, 'utf8')) as TrainingBudget;
const { tools } = await detectToolchains();
const isComparable = (await canRun(findTarget(TRAINING_CORE).core)) && tools['arm-gcc'].version === compiler;

const PROMISED: Partial<TrainingCost> = { sram: 75_000, flash: 640_000, step: 65_000_000 };

/** As in budgets.test.ts: above the record, for other addresses; below it, unrecorded. */
const [NOISE, SLACK] = [0.001, 0.02];

describe.skipIf(!isComparable || !hasBackbone())('mcunet-5fps by the 49KB scheme', async () => {
  const measured = isComparable && hasBackbone() ? await measureDeviceTraining() : cost;

  it.each(Object.keys(cost) as (keyof TrainingCost)[])('needs as much %s as before', (figure) => {
    expect(measured[figure]).toBeLessThanOrEqual((1 + NOISE) * cost[figure]);
    expect(measured[figure], 'less is good: npm run ratchet').toBeGreaterThanOrEqual(
      (1 - SLACK) * cost[figure],
    );
  });

  it.each(Object.entries(PROMISED))('needs no more %s than %d', (figure, bound) => {
    expect(measured[figure as keyof TrainingCost]).toBeLessThanOrEqual(bound);
  });
});
