/**
 * `npm run ratchet`: measures every model at hand and writes test/ratchet/budgets.json. Models that are not at hand keep
 * their budgets. Read the difference before committing it: a figure that grew wants a reason.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { requireCompiler } from '../src/run/toolchain.ts';
import { findTarget } from '../src/targets/index.ts';
import { BUDGET_CORE, BUDGET_FILE, type Budgets } from './budgets.ts';
import { compileFor, type Footprint, footprint } from './footprint.ts';
import { modelsAtHand } from './models.ts';

const { models: known } = JSON.parse(readFileSync(BUDGET_FILE, 'utf8')) as Budgets;
const measured: Record<string, Footprint> = {};
for (const model of modelsAtHand()) {
  measured[model.name] = await footprint(compileFor(model, BUDGET_CORE, 'speed'), BUDGET_CORE);
  console.log(model.name, measured[model.name], 'was', known[model.name]);
}
const { version } = await requireCompiler(findTarget(BUDGET_CORE).core);
const budgets: Budgets = { compiler: version, models: { ...known, ...measured } };
writeFileSync(BUDGET_FILE, `${JSON.stringify(budgets, null, 2)}\n`);
