/**
 * `npm run ratchet`: measures every model at hand, every kernel and a training, and writes test/ratchet/budgets.json,
 * kernels.json and training.json. Models that are not at hand keep their budgets. Read the difference before committing it: a
 * figure that grew wants a reason.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { requireCompiler } from '../src/run/toolchain.ts';
import { findTarget } from '../src/targets/index.ts';
import { BUDGET_CORE, BUDGET_FILE, type Budgets, describeReach, type Reach } from './budgets.ts';
import { hasBackbone, writeTrainingBudget } from './device-training.ts';
import { type Footprint, FootprintCache } from './footprint.ts';
import { measureKernels, writeKernelBudgets } from './kernels/budgets.ts';
import { modelsAtHand } from './models.ts';

const known = JSON.parse(readFileSync(BUDGET_FILE, 'utf8')) as Budgets;
const models = new Map(modelsAtHand().map((model) => [model.name, model]));
const footprints = new FootprintCache();

async function measureReach(reach: Reach): Promise<Reach> {
  const model = models.get(reach.model);
  if (model === undefined) return reach;
  const { [reach.figure]: measured } = await footprints.of(model, reach.core, reach.optimize);
  const verdict = measured <= reach.bound ? 'reached' : 'NOT REACHED';
  console.log(`${describeReach(reach)}: ${measured}, ${verdict}`);
  return { ...reach, measured };
}

const measured: Record<string, Footprint> = {};
for (const [name, model] of models) {
  measured[name] = await footprints.of(model, BUDGET_CORE, 'speed');
  console.log(name, measured[name], 'was', known.models[name]);
}
const reach: Reach[] = [];
for (const goal of known.reach) reach.push(await measureReach(goal));
const { version } = await requireCompiler(findTarget(BUDGET_CORE).core);
const budgets: Budgets = {
  compiler: version,
  models: { ...known.models, ...measured },
  reach,
};
writeFileSync(BUDGET_FILE, `${JSON.stringify(budgets, null, 2)}\n`);
writeKernelBudgets(await measureKernels());
if (hasBackbone()) await writeTrainingBudget();
