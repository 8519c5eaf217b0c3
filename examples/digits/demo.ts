/**
 * npm run demo: compiles the digits model, runs its pictures through the firmware on the best executor at hand (an
 * emulated Cortex-M4, else the embedded one), and prints what they are read as and what the firmware costs.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { type Compilation, compile, describeOutputs } from '../../src/api.ts';
import { createExecutor, detectToolchains, type Executor, profile, readInputs } from '../../src/run/node.ts';

const CORE = 'cortex-m4';
const folder = join('examples', 'digits');
const pictures = readdirSync(join(folder, 'pictures')).filter((file) => file.endsWith('.png'));
const output = join('build', 'demo', 'digits');

const compilation = compile(readFileSync(join(folder, 'digits.tflite')), {
  file: 'digits.tflite',
  target: CORE,
});
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
const executor = await createExecutor(emulated ? 'qemu' : 'wasm', compilation, { core: CORE });
const machine = emulated
  ? `the firmware itself, on an emulated ${CORE}`
  : 'the firmware kernels, as WebAssembly';
console.log(`2. ${pictures.length} pictures it was not trained on, through ${machine}:\n`);
await classify(executor, compilation);

if (emulated) await measure(compilation);
else {
  console.log('3. Instructions, stack and code size come from real firmware under QEMU, which needs');
  console.log(`   a cross-compiler and an emulator that are not here. ${hint ?? ''}`);
}

async function classify(executor: Executor, compilation: Compilation): Promise<void> {
  const paths = pictures.map((file) => join(folder, 'pictures', file));
  const samples = await Promise.all(paths.map((path) => readInputs(compilation.program.inputs, [path])));
  const outputs = await executor.run(samples);
  const reference = await (await createExecutor('reference', compilation)).run(samples);
  let right = 0;
  let same = 0;
  for (const [i, path] of paths.entries()) {
    const { values } = describeOutputs(compilation, outputs[i]!)[0]!;
    const best = values.indexOf(Math.max(...values));
    const label = Number(pictures[i]![0]);
    if (best === label) ++right;
    if (outputs[i]!.every((tensor, t) => Buffer.compare(tensor, reference[i]![t]!) === 0)) ++same;
    if (i % 5 === 0) await draw(path);
    const probability = (((values[best]! + 128) / 256) * 100).toFixed(1);
    console.log(
      `   ${pictures[i]}  reads ${best}  (${probability} %)${best === label ? '' : `  WRONG, it is ${label}`}`,
    );
  }
  console.log(
    `\n   ${right} of ${pictures.length} right; ${same} of ${pictures.length} equal to the reference in every byte\n`,
  );
}

/** The picture in characters, two rows to a line. */
async function draw(path: string): Promise<void> {
  const pixels = await sharp(path).toColourspace('b-w').raw().toBuffer();
  for (let y = 2; y < 26; y += 2) {
    let line = '';
    for (let x = 2; x < 26; ++x) {
      const [upper, lower] = [pixels[y * 28 + x]! > 110, pixels[(y + 1) * 28 + x]! > 110];
      line += upper ? (lower ? '█' : '▀') : lower ? '▄' : ' ';
    }
    if (line.trim() !== '') console.log(`      ${line.trimEnd()}`);
  }
}

async function measure(compilation: Compilation): Promise<void> {
  const inputs = await readInputs(compilation.program.inputs, [join(folder, 'pictures', pictures[0]!)]);
  const { report } = await profile(compilation, [inputs]);
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
