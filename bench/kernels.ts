/**
 * `npm run bench:kernels`: instructions of each kind of layer by its shape, beside those of a study of hand-written
 * kernels. Writes the table of docs/benchmarks.md between its comments; with `--update` test/ratchet/kernels.json too, as
 * `npm run ratchet` does.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { KERNEL_CORES, type KernelBudgets, measureKernels, writeKernelBudgets } from './kernels/budgets.ts';
import { KERNEL_SHAPES, type KernelShape } from './kernels/shapes.ts';
import { replaceBetween, table } from './page.ts';

const PAGE = 'docs/benchmarks.md';

/** The columns: a core's own, and behind it the study's where it has some. */
function columnsOf(measured: KernelBudgets): { core: string; studied: boolean }[] {
  return KERNEL_CORES.filter((core) => core in measured).flatMap((core) => {
    const studied = KERNEL_SHAPES.some(({ study }) => study !== undefined && core in study);
    return [{ core, studied: false }, ...(studied ? [{ core, studied }] : [])];
  });
}

/** Elements of the output, or multiply-accumulates: what the instructions of a layer are divided by. */
function units({ layer: { graph }, unit }: KernelShape): number {
  const [node] = graph.nodes;
  const output = graph.values.get(node!.outs[0]!)!;
  const elements = output.shape.reduce((product, n) => product * n, 1);
  if (unit === 'element') return elements;
  const weights = graph.values.get(node!.ins[1]!)!;
  return (elements * weights.data!.length) / output.shape.at(-1)!;
}

function rowOf(shape: KernelShape, measured: KernelBudgets): string[] {
  const { layer, unit, study } = shape;
  const cells = columnsOf(measured).map(({ core, studied }) => {
    if (studied) return study?.[core] ?? '';
    const budget = measured[core]!.layers[layer.name];
    return budget === undefined ? '' : (budget.instructions / units(shape)).toFixed(unit === 'MAC' ? 3 : 1);
  });
  return [`${layer.name}, per ${unit}`, ...cells];
}

const measured = await measureKernels();
const text = table(
  ['layer', ...columnsOf(measured).map(({ core, studied }) => (studied ? 'study' : core))],
  KERNEL_SHAPES.map((shape) => rowOf(shape, measured)),
);
console.log(text);
writeFileSync(PAGE, replaceBetween(readFileSync(PAGE, 'utf8'), 'kernels', text));
if (process.argv.includes('--update')) writeKernelBudgets(measured);
