/**
 * npm run demo: compiles the digits model, runs its pictures through the firmware on the best executor at hand (an
 * emulated Cortex-M4, else the embedded one), and prints what they are read as and what the firmware costs.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { type Compilation, compile, describeOutputs, type OutputValues } from '../../src/api.ts';
import { asBytes } from '../../src/core/dtype.ts';
import { inputsOf } from '../../src/data/inputs.ts';
import { inputType } from '../../src/quantize/measure.ts';
import { createExecutor, detectToolchains, type Executor, profile } from '../../src/run/node.ts';
import { SIDE } from './data.ts';

/** The board and the limit that the model was searched for. */
const TARGET = 'nrf52840';
const MAX_SRAM = 4096;
const folder = join('examples', 'digits');
const pictures = readdirSync(join(folder, 'pictures')).filter((file) => file.endsWith('.png'));
const output = join('build', 'demo', 'digits');

const compilation = compile(readFileSync(join(folder, 'digits.tflite')), {
  file: 'digits.tflite',
  target: TARGET,
  maxSram: MAX_SRAM,
});
const core = compilation.target.core.name;
/** Grey values as the model was trained with. */
const asTrained = inputsOf({ kind: 'pixels', shape: [SIDE, SIDE, 1] }, inputType(compilation.graph, 'int8'));
const toInput = (grey: Uint8Array): Uint8Array => asBytes(asTrained(grey));

mkdirSync(output, { recursive: true });
for (const [file, text] of compilation.project) writeFileSync(join(output, file), text);
const { report } = compilation;
console.log(
  `1. Compiled ${folder}/digits.tflite (${report.macs.toLocaleString('en')} MACs) to C in ${output}/`,
);
console.log(`   SRAM   ${bytes(report.sram.total)}, inputs and outputs included, before anything is built`);
console.log(`   flash  ${bytes(report.flash.weights + report.flash.tables)} of constants\n`);

const { tools, hint } = await detectToolchains();
const emulated = tools['arm-gcc'].available && tools['qemu-system-arm'].available;
const executor = await createExecutor(emulated ? 'qemu' : 'wasm', compilation);
const machine = emulated
  ? `the firmware itself, on an emulated ${core}`
  : 'the firmware kernels, as WebAssembly';
console.log(`2. ${pictures.length} pictures it was not trained on, through ${machine}:\n`);
await classify(executor, compilation);

if (emulated) await measure(compilation);
else {
  console.log('3. Instructions, stack and code size come from real firmware under QEMU, which needs');
  console.log(`   a cross-compiler and an emulator that are not here. ${hint ?? ''}`);
}

async function classify(executor: Executor, compilation: Compilation): Promise<void> {
  const pixels = await Promise.all(pictures.map(pixelsOf));
  const samples = pixels.map((grey) => [toInput(grey)]);
  const outputs = await executor.run(samples);
  const reference = await (await createExecutor('reference', compilation)).run(samples);
  let right = 0;
  let same = 0;
  for (const [i, picture] of pictures.entries()) {
    const probabilities = softmax(describeOutputs(compilation, outputs[i]!)[0]!);
    const probability = Math.max(...probabilities);
    const best = probabilities.indexOf(probability);
    const label = Number(picture[0]);
    if (best === label) ++right;
    if (outputs[i]!.every((tensor, t) => Buffer.compare(tensor, reference[i]![t]!) === 0)) ++same;
    if (i % 5 === 0) draw(pixels[i]!);
    console.log(
      `   ${picture}  reads ${best}  (${(100 * probability).toFixed(1)} %)${best === label ? '' : `  WRONG, it is ${label}`}`,
    );
  }
  console.log(
    `\n   ${right} of ${pictures.length} right; ${same} of ${pictures.length} equal to the reference in every byte\n`,
  );
}

/** SIDE x SIDE grey values, row by row. */
function pixelsOf(picture: string): Promise<Uint8Array> {
  return sharp(join(folder, 'pictures', picture))
    .toColourspace('b-w')
    .raw()
    .toBuffer();
}

/** The probabilities that logits stand for. */
function softmax({ values, scale }: OutputValues): number[] {
  const highest = Math.max(...values);
  const weights = values.map((value) => Math.exp((scale ?? 1) * (value - highest)));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

/** The picture in characters, two rows to a line. */
function draw(pixels: Uint8Array): void {
  for (let y = 2; y < SIDE - 2; y += 2) {
    let line = '';
    for (let x = 2; x < SIDE - 2; ++x) {
      const [upper, lower] = [pixels[y * SIDE + x]! > 110, pixels[(y + 1) * SIDE + x]! > 110];
      line += upper ? (lower ? '█' : '▀') : lower ? '▄' : ' ';
    }
    if (line.trim() !== '') console.log(`      ${line.trimEnd()}`);
  }
}

async function measure(compilation: Compilation): Promise<void> {
  const { report } = await profile(compilation, [[toInput(await pixelsOf(pictures[0]!))]]);
  const { sram, flash } = report;
  console.log(`3. Measured on the real ELF under QEMU (${report.machine}):`);
  console.log(`   SRAM          ${bytes(sram.data + sram.bss)} + ${bytes(sram.stack)} of stack`);
  console.log(
    `   flash         ${bytes(flash.text + flash.rodata + flash.data)}, of which ${bytes(flash.text)} of code`,
  );
  console.log(`   instructions  ${report.instructions.toLocaleString('en')} an inference`);
  const ms = report.latencyEstimateMs.toFixed(1);
  console.log(`   latency       about ${ms} ms at ${report.clockHz / 1e6} MHz (an estimate: no wait states)`);
}

function bytes(count: number): string {
  return `${count.toLocaleString('en')} B`;
}
