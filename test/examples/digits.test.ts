import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { loadDigits, SIDE } from '../../examples/digits/data.ts';
import { FloatNetwork } from '../../examples/digits/floats.ts';
import { forward } from '../../examples/digits/int8.ts';
import { best, softmax } from '../../examples/digits/layers.ts';
import { buildNetwork, type LayerPlan } from '../../examples/digits/network.ts';
import { quantize } from '../../examples/digits/quantize.ts';
import { spread } from '../../examples/digits/random.ts';
import { toTflite } from '../../examples/digits/tflite.ts';
import { createRandom } from '../../src/core/random.ts';
import { readTflite } from '../../src/formats/tflite/reader.ts';
import { writeTflite } from '../../src/formats/tflite/writer.ts';

const folder = new URL('../../examples/digits/', import.meta.url);
const { training, heldOut } = loadDigits();

describe('the shipped digits model', () => {
  const bytes = new Uint8Array(readFileSync(new URL('digits.tflite', folder)));
  const { model, warnings } = readTflite(bytes);
  const [graph] = model.subgraphs;
  const tensorOf = (indices: readonly number[]) => graph!.tensors[indices[0]!]!;

  it('reads without a warning and writes back to the same bytes', () => {
    expect(warnings).toEqual([]);
    expect(Buffer.compare(writeTflite(model), bytes)).toBe(0);
  });

  it('takes int8 pictures and gives int8 probabilities', () => {
    const input = tensorOf(graph!.inputs);
    expect(input).toMatchObject({ type: 'INT8', shape: [1, SIDE, SIDE, 1] });
    expect(input.quantization).toMatchObject({ scale: [Math.fround(1 / 255)], zeroPoint: [-128] });
    const output = tensorOf(graph!.outputs);
    expect(output).toMatchObject({ type: 'INT8', shape: [1, 10] });
    expect(output.quantization).toMatchObject({ scale: [1 / 256], zeroPoint: [-128] });
  });

  it('has fewer than 10,000 parameters', () => {
    const constants = graph!.tensors.filter(({ buffer, quantization }) => buffer > 0 && quantization);
    const count = constants.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b), 0);
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThan(10_000);
  });
});

describe('the shipped pictures', () => {
  const pictures = new URL('pictures/', folder);
  const names = readdirSync(pictures);

  it('are two of each digit', () => {
    expect(names.sort()).toEqual(Array.from({ length: 20 }, (_, i) => `${i >> 1}-${i & 1}.png`));
  });

  it.each(names)('%s is a held-out digit of its label', async (name) => {
    const png = sharp(fileURLToPath(new URL(name, pictures)));
    expect(await png.metadata()).toMatchObject({ width: SIDE, height: SIDE, channels: 1 });
    const pixels = await png.toColourspace('b-w').raw().toBuffer();
    const original = heldOut.find((digit) => Buffer.compare(digit.pixels, pixels) === 0);
    expect(original?.label).toBe(Number(name[0]));
    expect(training.some((digit) => Buffer.compare(digit.pixels, pixels) === 0)).toBe(false);
  });
});

/** Every kind of layer and of activation, odd sizes, and padding on all sides or on two. */
const PLANS: readonly LayerPlan[] = [
  { name: 'a', kind: 'conv', kernel: 3, stride: 2, channels: 4, activation: 'RELU6' },
  { name: 'b', kind: 'depthwise', kernel: 3, stride: 1, activation: 'RELU' },
  { name: 'c', kind: 'conv', kernel: 1, stride: 1, channels: 4, activation: 'NONE' },
  { name: 'd', kind: 'add', skip: 'a', activation: 'RELU' },
  { name: 'e', kind: 'depthwise', kernel: 3, stride: 2, activation: 'NONE' },
  { name: 'f', kind: 'dense', channels: 3 },
];

describe('training', () => {
  it('has the gradients that finite differences have', () => {
    const random = createRandom(7);
    const net = new FloatNetwork(buildNetwork({ height: 10, width: 10, channels: 2 }, PLANS), random);
    const { value, gradient } = net.parameters;
    // Weak biases keep activations off their corners, where the difference quotient is no gradient.
    for (const { value: biases } of net.biases) biases.set(biases.map(() => spread(random, 0.1)));
    const picture = Float32Array.from({ length: 200 }, random);
    const loss = () => -Math.log(softmax(net.forward(picture))[1]!);
    loss();
    net.backward(1);
    const STEP = 2 ** -9;
    for (let i = 0; i < value.length; i++) {
      const original = value[i]!;
      value[i] = original + STEP;
      const above = loss();
      value[i] = original - STEP;
      const below = loss();
      value[i] = original;
      expect(Math.abs((above - below) / (2 * STEP) - gradient[i]!)).toBeLessThan(2e-3);
    }
  });
});

describe('quantisation', () => {
  const random = createRandom(3);
  const network = buildNetwork({ height: SIDE, width: SIDE, channels: 1 }, PLANS);
  const net = new FloatNetwork(network, random);
  const samples = training.filter((_, i) => i % 100 === 0);
  const quantized = quantize(net, samples);

  it('stays within a few steps of floating point', () => {
    const { scale, zeroPoint } = quantized.scales.at(-1)!;
    for (const { pixels } of samples) {
      const expected = net.forward(Float32Array.from(pixels, (grey) => grey / 255));
      const scores = forward(quantized, pixels);
      expected.forEach((score, i) => {
        expect(Math.abs(score / scale - (scores[i]! - zeroPoint))).toBeLessThan(6);
      });
    }
  });

  it('writes a model that reads back as it was', () => {
    const model = toTflite(quantized, 'test');
    expect(readTflite(writeTflite(model)).model).toEqual(model);
  });
});

describe('best', () => {
  it('is the first of the highest scores', () => {
    expect(best(Int8Array.of(-3, 5, 5, 1))).toBe(1);
  });
});
