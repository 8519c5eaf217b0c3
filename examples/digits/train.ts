/**
 * Usage: node dist/examples/digits/train.js [FOLDER = examples/digits], from the repository's root after `npm run build`.
 *
 * Makes digits.tflite and its pictures in FOLDER: trains a small convolutional network on handwritten digits, quantises it
 * to int8 and says how good both are on digits it has not seen. About two minutes on one core.
 *
 * The same seed gives the same model, byte for byte, on any JavaScript engine: all that the result depends on is IEEE
 * addition, multiplication, division and square root, in a fixed order.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { createRandom } from '../../src/core/random.ts';
import { writeTflite } from '../../src/formats/tflite/writer.ts';
import { type Digit, loadDigits, SIDE, toUnit } from './data.ts';
import { FloatNetwork, train } from './floats.ts';
import { forward } from './int8.ts';
import { best, type Numbers } from './layers.ts';
import { buildNetwork } from './network.ts';
import { quantize } from './quantize.ts';
import { toTflite } from './tflite.ts';

const SEED = 1;
const SCHEDULE = { epochs: 12, batch: 16, rate: 0.003 };
/** How many held-out pictures of each digit are shipped. */
const PICTURES_PER_DIGIT = 2;

const NETWORK = buildNetwork({ height: SIDE, width: SIDE, channels: 1 }, [
  { name: 'stem', kind: 'conv', kernel: 5, stride: 2, channels: 12, activation: 'RELU6' },
  { name: 'down1/spread', kind: 'depthwise', kernel: 3, stride: 2, activation: 'RELU6' },
  { name: 'down1/mix', kind: 'conv', kernel: 1, stride: 1, channels: 32, activation: 'RELU6' },
  { name: 'block/spread', kind: 'depthwise', kernel: 3, stride: 1, activation: 'RELU6' },
  { name: 'block/mix', kind: 'conv', kernel: 1, stride: 1, channels: 32, activation: 'NONE' },
  { name: 'block/add', kind: 'add', skip: 'down1/mix', activation: 'RELU' },
  { name: 'down2/spread', kind: 'depthwise', kernel: 3, stride: 2, activation: 'RELU6' },
  { name: 'down2/mix', kind: 'conv', kernel: 1, stride: 1, channels: 32, activation: 'RELU6' },
  { name: 'scores', kind: 'dense', channels: 10 },
]);

/** The share of `digits` that `classify` gets right, in percent with two decimals. */
function accuracy(digits: readonly Digit[], classify: (pixels: Uint8Array) => Numbers): string {
  const right = digits.filter(({ pixels, label }) => best(classify(pixels)) === label).length;
  return `${((100 * right) / digits.length).toFixed(2)} %`;
}

/** The first held-out pictures of each digit, as `<label>-<n>.png`, n from 0. */
async function writePictures(folder: string, digits: readonly Digit[]): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (let label = 0; label < 10; label++) {
    const chosen = digits.filter((digit) => digit.label === label).slice(0, PICTURES_PER_DIGIT);
    for (const [n, { pixels }] of chosen.entries()) {
      const image = sharp(pixels, { raw: { width: SIDE, height: SIDE, channels: 1 } });
      await image
        .toColourspace('b-w')
        .png()
        .toFile(join(folder, `${label}-${n}.png`));
    }
  }
}

const folder = process.argv[2] ?? join('examples', 'digits');
const { training, heldOut } = loadDigits();
const random = createRandom(SEED);
const net = new FloatNetwork(NETWORK, random);
console.log(
  `${net.parameters.value.length} parameters, ${training.length} digits to train on, ${heldOut.length} held out`,
);
const scores = (pixels: Uint8Array) => net.forward(toUnit(pixels));
train(net, training, SCHEDULE, random, (epoch) => {
  console.log(`epoch ${epoch} of ${SCHEDULE.epochs}: float ${accuracy(heldOut, scores)}`);
});

const quantized = quantize(net, training);
console.log(`int8 ${accuracy(heldOut, (pixels) => forward(quantized, pixels))}`);

writeFileSync(
  join(folder, 'digits.tflite'),
  writeTflite(toTflite(quantized, `Rivulet digits, seed ${SEED}`)),
);
await writePictures(join(folder, 'pictures'), heldOut);
