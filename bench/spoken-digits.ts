/**
 * `npm run bench:digits -- MODEL.tflite FOLDER`: the spoken digits of a speaker, from samples to scores, by the firmware on an
 * emulated Cortex-M4, beside the same in TypeScript. Writes docs/results/spoken-digits-firmware.json. docs/audio.md says
 * how the model is made and what lies in the folder.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { run } from '../src/api.ts';
import { parseFrontEnd } from '../src/audio/front-end.ts';
import { compile } from '../src/compile.ts';
import { asBytes } from '../src/core/dtype.ts';
import { inputsOf } from '../src/data/inputs.ts';
import { openData } from '../src/data/open.ts';
import { argmax } from '../src/quantize/quality.ts';
import { runFirmware, type Tensors } from '../src/run/execute.ts';
import { buildFirmware } from '../src/run/firmware.ts';
import { soundRequest } from '../test/audio/sound-firmware.ts';

const FRONT_END = 'examples/train/digits-front-end.json';
const RESULT = 'docs/results/spoken-digits-firmware.json';
const SPEAKER = 'theo';
const CORE = 'cortex-m4';

const [model, folder] = process.argv.slice(2);
if (model === undefined || folder === undefined) throw new Error('MODEL.tflite and FOLDER are missing');
const frontEnd = parseFrontEnd(new Uint8Array(readFileSync(FRONT_END)), FRONT_END);
const compilation = compile(new Uint8Array(readFileSync(model)), {
  ...{ frontEnd, name: 'digits', target: CORE, inputMode: 'rows', schedule: 'stream' },
});
const { test, close } = await openData(folder, {
  sounds: { frontEnd, names: '{label}_{speaker}_{take}', testSpeakers: [SPEAKER] },
});
const items = Array.from({ length: test!.length }, (_, i) => test!.item(i));
close();

const [input] = compilation.program.inputs;
const { scales, zeroPoints } = input!.quantization!;
const toInput = inputsOf(test!, {
  ...{ shape: input!.shape, dtype: 'int8', scale: scales[0]!, zeroPoint: zeroPoints[0]! },
});
const firmware = await buildFirmware(soundRequest(compilation, frontEnd, CORE));
const clips = items.map(({ values }): Tensors => [asBytes(values)]);
const { outputs, stack } = await runFirmware(firmware, clips, { timeoutMs: 600_000 });
const { instructions } = await runFirmware(firmware, clips.slice(0, 1), { profile: true });

let [correct, same] = [0, 0];
for (const [i, { values, label }] of items.entries()) {
  const scores = outputs[i]![0]!;
  const [expected] = await run(compilation, [asBytes(toInput(values))]);
  same += Number(Buffer.compare(scores, expected!) === 0);
  correct += Number(argmax(new Int8Array(scores.slice().buffer)) === label);
}
const { text, rodata } = firmware.memory!.flash;
const result = {
  core: CORE,
  speaker: SPEAKER,
  clips: items.length,
  correct,
  sameScoresAsInTypeScript: same,
  sram: { ...compilation.report.sram, stack },
  flash: text + rodata,
  instructionsOfAClip: instructions,
};
writeFileSync(RESULT, `${JSON.stringify(result, null, 2)}\n`);
console.log(result);
