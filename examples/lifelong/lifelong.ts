/**
 * npm run lifelong: a network in the field meets a class it was not made for. It learns it from few pictures, once from these
 * alone and once with some kept pictures of the classes it knows, in the arithmetic of the device; what it then knows of the
 * new class and of the old ones is what is printed.
 */
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { readModel } from '../../src/cli/model.ts';
import { asBytes } from '../../src/core/dtype.ts';
import type { Dataset } from '../../src/data/dataset.ts';
import { inputsOf } from '../../src/data/inputs.ts';
import { openData } from '../../src/data/open.ts';
import { sample, shuffled, subset } from '../../src/data/split.ts';
import { importModel } from '../../src/import/model.ts';
import { prepareForTraining } from '../../src/learn/compile-training.ts';
import { parseScheme } from '../../src/learn/scheme.ts';
import { chooseHost } from '../../src/run/engine/host.ts';
import { type Features, Rehearsal } from '../../src/run/rehearsal.ts';
import { VERSION } from '../../src/version.ts';

const { values: options } = parseArgs({
  options: {
    model: { type: 'string' },
    scheme: { type: 'string' },
    data: { type: 'string' },
    'new-class': { type: 'string' },
    samples: { type: 'string', default: '20' },
    kept: { type: 'string', default: '5' },
    passes: { type: 'string', default: '10' },
    'deploy-samples': { type: 'string', default: '4000' },
    'test-samples': { type: 'string', default: '2000' },
    rate: { type: 'string', default: '0.00125' },
    seed: { type: 'string', default: '1' },
    output: { type: 'string', short: 'o' },
  },
});
const required = (name: 'model' | 'scheme' | 'data' | 'new-class'): string => {
  const value = options[name];
  if (value === undefined) throw new Error(`--${name} is needed; see examples/lifelong/README.md`);
  return value;
};
const [rate, seed] = [Number(options.rate), Number(options.seed)];

interface Sample {
  readonly features: Features;
  readonly label: number;
}

/** Accuracy on test pictures of the classes it was deployed with, and on those of the new one. */
interface Knowledge {
  readonly old: number;
  readonly new: number;
}

const modelFile = required('model');
const model = prepareForTraining(importModel(await readModel(modelFile), basename(modelFile)).graph);
const input = model.values.get(model.inputs[0]!)!;
const [, height, width, channels] = input.shape as [number, number, 1, 1 | 3];
const source = await openData(required('data'), { size: [height, width], channels });
const { classes } = source.train;
const newcomer = classes.indexOf(required('new-class'));
if (newcomer < 0 || source.test === undefined)
  throw new Error(`the data need a train and a test part, and a class "${options['new-class']}"`);
const scheme = {
  ...parseScheme(readFileSync(required('scheme'), 'utf8'), required('scheme')),
  classes: classes.length,
};
const rehearsal = Rehearsal.create(model, scheme, (await chooseHost()).host, seed);

const isNew = (label: number): boolean => label === newcomer;
const deployed = samplesOf(
  part(source.train, (label) => !isNew(label)),
  Number(options['deploy-samples']),
);
const few = samplesOf(part(source.train, isNew), Number(options.samples));
// What a device keeps is some of what it has met, about as many of each class.
const kept = deployed.slice(0, Number(options.kept) * (classes.length - 1));
const test = samplesOf(source.test, Number(options['test-samples']));
source.close();

console.log(`deploying with ${deployed.length} pictures of ${classes.length - 1} classes`);
learn(deployed, 2);
const atDeployment = rehearsal.snapshot();
const outcomes = {
  'as deployed': knowledge(),
  [`after ${few.length} pictures of ${classes[newcomer]}`]: after(few),
  [`after these and ${kept.length} kept ones`]: after([...few, ...kept]),
};
console.log(`\n${''.padEnd(40)}  old classes   ${classes[newcomer]}`);
for (const [what, { old, new: fresh }] of Object.entries(outcomes))
  console.log(`${what.padEnd(40)}  ${percent(old)}       ${percent(fresh)}`);

if (options.output !== undefined) {
  const result = {
    command: `npm run lifelong -- ${process.argv.slice(2).join(' ')}`,
    version: VERSION,
    date: new Date().toISOString().slice(0, 10),
    model: basename(modelFile),
    scheme,
    ...{ rate, seed, newClass: classes[newcomer], test: test.length, outcomes },
  };
  await mkdir(dirname(options.output), { recursive: true });
  await writeFile(options.output, `${JSON.stringify(result, null, 2)}\n`);
}

function part(dataset: Dataset, wanted: (label: number) => boolean): Dataset {
  return subset(
    dataset,
    [...dataset.labels.keys()].filter((i) => wanted(dataset.labels[i]!)),
  );
}

/** Some of the items, in a random order, through the frozen layers. */
function samplesOf(dataset: Dataset, count: number): Sample[] {
  const chosen = sample(dataset, count, seed);
  const { scales, zeroPoints } = input.quantization!;
  const toInput = inputsOf(chosen, { ...input, dtype: 'int8', scale: scales[0]!, zeroPoint: zeroPoints[0]! });
  return [...shuffled(chosen.length, seed)].map((i) => {
    const { values, label } = chosen.item(i);
    return { features: rehearsal.features(asBytes(toInput(values))), label };
  });
}

function learn(samples: readonly Sample[], passes: number): void {
  for (let pass = 1; pass <= passes; ++pass)
    for (const i of shuffled(samples.length, seed * 1000 + pass)) {
      const { features, label } = samples[i]!;
      rehearsal.step(features, label, rate);
    }
}

/** What it knows after it learnt from `samples`, beginning as deployed. */
function after(samples: readonly Sample[]): Knowledge {
  rehearsal.restore(atDeployment);
  learn(samples, Number(options.passes));
  return knowledge();
}

function knowledge(): Knowledge {
  const accuracy = (samples: readonly Sample[]): number =>
    samples.filter(({ features, label }) => rehearsal.predict(features) === label).length / samples.length;
  return {
    old: accuracy(test.filter(({ label }) => !isNew(label))),
    new: accuracy(test.filter(({ label }) => isNew(label))),
  };
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`.padStart(7);
}
