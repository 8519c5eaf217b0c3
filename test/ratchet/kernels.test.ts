/**
 * A ratchet for single layers: none may come to need more than 1 % more instructions than test/ratchet/kernels.json says,
 * and what got clearly cheaper must be recorded there (`npm run ratchet`).
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  type CoreBudgets,
  KERNEL_CORES,
  KERNEL_FILE,
  type KernelBudgets,
  measureShapes,
  shapesFor,
} from '../../bench/kernels/budgets.ts';
import { canRun, requireCompiler } from '../../src/run/toolchain.ts';
import { findTarget } from '../../src/targets/index.ts';

const budgets = JSON.parse(readFileSync(KERNEL_FILE, 'utf8')) as KernelBudgets;

const TOLERANCE = 0.01;

/** How far below its budget a layer may lie unrecorded. */
const SLACK = 0.05;

/** What costs more than its budget, or so much less that the budget should follow. */
function violations(measured: CoreBudgets['layers'], recorded: CoreBudgets['layers']): string[] {
  return Object.entries(measured).flatMap(([name, { kernel, instructions }]) => {
    const budget = recorded[name];
    if (budget === undefined) return [`${name} has no budget: npm run ratchet`];
    const change = `from ${budget.instructions} (${budget.kernel}) to ${instructions} (${kernel})`;
    if (instructions > (1 + TOLERANCE) * budget.instructions) return [`${name} grew ${change}`];
    if (instructions < (1 - SLACK) * budget.instructions) return [`${name} fell ${change}: npm run ratchet`];
    return [];
  });
}

/** Another compiler makes other code: its figures say nothing about a change of ours. */
async function comparable(name: string): Promise<boolean> {
  const { core } = findTarget(name);
  return (await canRun(core)) && (await requireCompiler(core)).version === budgets[name]?.compiler;
}

describe.each(KERNEL_CORES)('the kernels on %s', (name) => {
  it('have budgets for every layer, and no others', () => {
    expect(Object.keys(budgets[name]!.layers)).toEqual(shapesFor(name).map(({ layer }) => layer.name));
  });

  it('need no more instructions than before', async (context) => {
    if (!(await comparable(name))) context.skip();
    const { layers } = await measureShapes(findTarget(name).core);
    expect(violations(layers, budgets[name]!.layers)).toEqual([]);
  });
});

describe('a budget', () => {
  const recorded = { conv: { kernel: 'a', instructions: 1000 } };
  const measured = (instructions: number) => ({ conv: { kernel: 'b', instructions } });

  it('gives by a hundredth and no more', () => {
    expect(violations(measured(1010), recorded)).toEqual([]);
    expect(violations(measured(1011), recorded)).toEqual(['conv grew from 1000 (a) to 1011 (b)']);
  });

  it('wants to be lowered, and to exist', () => {
    expect(violations(measured(900), recorded)).toHaveLength(1);
    expect(violations(measured(900), {})).toHaveLength(1);
  });
});
