/**
 * Layers from whose instructions the cost of each kernel is fitted: seeded, with the widths and channels of networks for
 * microcontrollers and few rows, and the cases of every operator, which are small and odd. Nothing is taken from a model.
 */
import type { KernelChoice } from '../../src/core/isa.ts';
import { createRandom } from '../../src/core/random.ts';
import { int8, type OpCase, opCase } from '../../src/ops/case.ts';
import { ALL_CASES } from '../../src/ops/cases.ts';
import { add, convolution, dense, depthwise, expansion, mean, pool, scale } from './layers.ts';
import { type Planned, planned, rooms } from './measure.ts';

const ROUNDS = 26;

/** Programs that together call every kernel that `choice` can lead to. */
export function fitSamples(choice: KernelChoice): Planned[] {
  const cases = Object.values(ALL_CASES).flat();
  const seen = new Set<string>();
  // A layer in two ways is two samples only if it gets two kernels.
  return [...randomLayers(), ...cases]
    .flatMap(({ graph }, i) => [
      ...rooms(graph, choice).map((room) => planned(graph, choice, room)),
      ...fallbacks(choice, i).map((fallback) => planned(graph, fallback, 0)),
    ])
    .filter(({ program: { calls } }) => {
      const key = JSON.stringify(calls.map(({ kernel, geometry, firings }) => [kernel, geometry, firings]));
      return !seen.has(key) && seen.add(key).size > 0;
    });
}

/** Kernels of a simpler core for layer `i`, by turns: what a layer gets that the core's best kernels refuse. */
function fallbacks({ isas, optimize }: KernelChoice, i: number): KernelChoice[] {
  const simpler = isas.slice(1 + (i % isas.length));
  return simpler.length === 0 ? [] : [{ isas: simpler, optimize }];
}

function randomLayers(): OpCase[] {
  const random = createRandom(11);
  const pick = <T>(choices: readonly T[]): T => choices[Math.floor(random() * choices.length)]!;
  const layers: OpCase[] = [];
  for (let round = 0; round < ROUNDS; ++round) {
    const name = `round ${round}`;
    const rows = pick([2, 3, 4, 5]);
    const width = pick([3, 4, 5, 6, 8, 9, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48]);
    // Wide maps have few channels.
    const narrow = pick(width > 20 ? [8, 16, 24] : [16, 24, 32, 40, 48, 64, 96]);
    const wide = pick(width > 20 ? [16, 32, 48, 64] : [64, 96, 120, 144, 192, 240]);
    const side = pick([3, 3, 5, 7]);
    const stride = pick([1, 1, 2]);
    const plane = { name, rows, width, to: pick([8, 16, 24, 40, 96]) };
    layers.push(
      convolution({ name, rows, width, from: narrow, to: wide }),
      convolution({ name, rows, width, from: wide, to: narrow, relu: pick([true, false, false]) }),
      convolution({ name, rows, width, from: narrow, to: pick([6, 10, 15, 18, narrow]) }),
      depthwise({ name, rows, width, to: wide, side, stride, bordered: pick([true, false]) }),
      depthwise({ name, rows, width, to: narrow, side: 3, stride, relu: pick([true, false]) }),
      depthwise({
        name,
        rows: 3,
        width: pick([3, 5, 6, 10, 20]),
        to: wide,
        side: pick([5, 7]),
        stride,
        bordered: true,
      }),
      convolution({
        name,
        rows,
        width,
        from: pick([8, 16, 32]),
        to: pick([16, 32]),
        side: 3,
        stride,
        bordered: true,
      }),
      convolution({
        name,
        ...{ rows, width, from: pick([1, 3, 3]), to: pick([8, 16, 32]), side: pick([3, 3, 5]), stride: 2 },
        ...{ bordered: pick([true, false]), relu: pick([true, true, false]) },
      }),
      convolution({
        name,
        ...{ rows, width, from: 1, to: pick([12, 32, 64]), side: pick([3, 4, 5]), tall: pick([3, 5, 8, 10]) },
        ...{ stride: pick([1, 2, 2]), bordered: pick([true, false]) },
      }),
      dense({ name, rows: 1, from: pick([64, 96, 128, 160, 256, 640]), to: pick([2, 10, 12, 64, 128]) }),
      convolution({
        name,
        rows: 1,
        width: 1,
        from: pick([48, 96, 160]),
        to: pick([2, 24, 100]),
        relu: false,
      }),
      expansion(
        {
          name,
          rows,
          width: Math.min(width, 20),
          from: pick([8, 16, 24, 40]),
          to: wide,
          side,
          stride,
          bordered: true,
        },
        round % 2 === 0,
      ),
      add(plane, pick([0.01, 0.03, 0.05, 0.09])),
      pool('average_pool2d', { name, rows: 1, width: 1, to: wide, side: pick([3, 4, 5, 6, 8, 12]) }),
      mean({ ...plane, rows: pick([2, 3, 5, 7]), width: pick([2, 3, 5, 7]), to: wide }),
    );
    if (round % 2 === 0) layers.push(...elementwise(plane));
  }
  return layers;
}

function elementwise(plane: { name: string; rows: number; width: number; to: number }): OpCase[] {
  const { name, rows, width, to } = plane;
  const x = int8([1, rows, width, to], 0.05, 3);
  return [
    scale(plane),
    pool('average_pool2d', { ...plane, width: width >> 1, side: 2 }),
    pool('max_pool2d', { ...plane, width: width >> 1, side: 2 }),
    opCase(name, 'logistic', {}, [x], int8(x.shape, 1 / 256, -128)),
    opCase(name, 'concat', { axis: 3 }, [x, x], { ...x, shape: [1, rows, width, 2 * to] }),
    opCase(name, 'resize_nearest', { alignCorners: false, halfPixelCenters: false }, [x], {
      ...x,
      shape: [1, 2 * rows, 2 * width, to],
    }),
    opCase(name, 'pad', { before: [0, 0, 0, 0], after: [0, 1, 1, 0], value: 3 }, [x], {
      ...x,
      shape: [1, rows + 1, width + 1, to],
    }),
  ];
}
