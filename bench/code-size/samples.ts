/**
 * Programs whose firmware shows how large the code of each kernel and layer is: the cases of every operator, which are
 * small and odd, and layers with the shapes of real networks for microcontrollers. Nothing here is taken from a model.
 */
import type { KernelChoice } from '../../src/core/isa.ts';
import { createRandom } from '../../src/core/random.ts';
import { lower } from '../../src/lower/lower.ts';
import { bias, int8, type OpCase, opCase, weights } from '../../src/ops/case.ts';
import { ALL_CASES } from '../../src/ops/cases.ts';
import type { Plan } from '../../src/plan/plan.ts';
import type { Call, Constant, Program } from '../../src/program/types.ts';
import { choicesWithin, planned, rooms } from '../kernels/measure.ts';
import { sideBySide } from '../side-by-side.ts';

export interface Sample {
  /** C identifier, the kernel's name. */
  readonly name: string;
  readonly program: Program;
  readonly plan: Plan;
}

/** Addresses lie where they do in arenas of real models, and are as round: that decides how an offset is encoded. */
const ADDRESSES = 128 * 1024;
const ROUNDEST = 10;
const ARENA_BYTES = 1024 * 1024;

const NETWORK_LAYERS = 48;

/** One program per kernel that `choice` can lead to: its layers are all cases and network layers that use it. */
export function kernelSamples(choice: KernelChoice): Sample[] {
  const programs = samplePrograms(choice);
  const kernels = new Set(programs.flatMap((program) => program.calls.map((call) => call.kernel)));
  return [...kernels].sort().map((kernel, i) => {
    const program = joined(kernel, programs, (call) => call.kernel === kernel, 1 + (i % 3));
    return { name: kernel, program, plan: anyPlan(program, i + 1) };
  });
}

/** All of them in one program: what kernels share when they are compiled together. */
export function wholeSample(choice: KernelChoice): Sample {
  const program = joined('whole', samplePrograms(choice), () => true, 1);
  return { name: 'whole', program, plan: anyPlan(program, 1) };
}

/** Each with the kernels it gets in an arena without room, with room, and where the core's best kernels do not fit. */
function samplePrograms(choice: KernelChoice): Program[] {
  const layers = [...Object.values(ALL_CASES).flat(), ...networkLayers()];
  const simpler = choice.isas.slice(1).map((_, i) => ({ ...choice, isas: choice.isas.slice(1 + i) }));
  return layers.flatMap(({ graph }) => [
    ...choicesWithin(choice).flatMap((kernels) =>
      rooms(graph, kernels).map((room) => planned(graph, kernels, room).program),
    ),
    ...simpler.map((fallback) => lower(graph, fallback)),
  ]);
}

/**
 * The calls of `programs` that `wanted` accepts, each kernel and geometry once, side by side in one program with so many
 * inputs. Most constants are cut to one element, because only their addresses appear in code.
 */
function joined(
  name: string,
  programs: readonly Program[],
  wanted: (call: Call) => boolean,
  inputs: number,
): Program {
  const seen = new Set<string>();
  const fresh = ({ kernel, geometry }: Call): boolean => {
    const key = JSON.stringify([kernel, geometry]);
    return !seen.has(key) && seen.add(key).size > 0;
  };
  const parts = programs.map((program) => ({
    program: {
      ...program,
      constants: program.constants.map((c) => (rowConstants(program).has(c.id) ? c : shortened(c))),
    },
    calls: program.calls.filter((call) => wanted(call) && fresh(call)),
  }));
  return sideBySide(
    name,
    parts.filter(({ calls }) => calls.length > 0),
    inputs,
  ).program;
}

/** The constants that are read row by row: a compiler sees where rows end. */
function rowConstants({ calls }: Program): Set<number> {
  const sources = calls.flatMap(({ slots }) => slots.map(({ source }) => source));
  return new Set(sources.flatMap((source) => (source.kind === 'constant' ? [source.constant] : [])));
}

function shortened(constant: Constant): Constant {
  return { ...constant, data: constant.data.subarray(0, 1) };
}

/** A plan that nothing runs: seeded addresses, every third layer bottom-up. */
function anyPlan(program: Program, seed: number): Plan {
  const random = createRandom(seed);
  const address = (): number => {
    const step = 2 ** (3 + Math.floor(random() * (ROUNDEST - 2)));
    return step * Math.floor((random() * ADDRESSES) / step);
  };
  return {
    schedule: program.calls.map(({ index, firings }) =>
      index % 3 === 2
        ? { call: index, first: firings - 1, count: firings, step: -1 }
        : { call: index, first: 0, count: firings, step: 1 },
    ),
    addresses: program.buffers.map(address),
    arenaBytes: ARENA_BYTES,
    liveBytes: ARENA_BYTES,
    liveByCall: program.calls.map(() => ARENA_BYTES),
    peakCall: 0,
  };
}

/** Layers as in MobileNets, ResNets, keyword spotters and autoencoders. */
function networkLayers(): OpCase[] {
  const random = createRandom(20);
  const integer = (from: number, to: number): number => from + Math.floor(random() * (to - from + 1));
  const pick = <T>(choices: readonly T[]): T => choices[integer(0, choices.length - 1)]!;
  const zero = (): number => pick([-128, -128, 0, integer(-60, 60)]);
  const layers: OpCase[] = [];
  for (let seed = 1; seed <= NETWORK_LAYERS; ++seed) {
    const size = pick([5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48]);
    const stride = pick([1, 1, 2]);
    const small = Math.ceil(size / stride);
    const side = pick([3, 3, 5, 7]);
    const total = Math.max(0, (small - 1) * stride + side - size);
    const [before, after] = [Math.floor(total / 2), Math.ceil(total / 2)];
    const padding = [before, after, before, after] as const;
    const window = { stride: [stride, stride], dilation: [1, 1], padding, clamp: [-128, 127] } as const;
    const channels = pick([8, 16, 24, 32, 40, 48, 64, 96, 120]);
    const more = pick([8, 16, 24, 40, 64, 80, 96, 160, 240]);
    const x = int8([1, size, size, channels], 0.05, zero());
    layers.push(
      opCase(
        `pointwise ${seed}`,
        'conv2d',
        { ...window, stride: [1, 1], padding: [0, 0, 0, 0] },
        [x, weights([more, 1, 1, channels], 0, seed), bias(more, seed)],
        int8([1, size, size, more], 0.06, zero()),
      ),
      opCase(
        `depthwise ${seed}`,
        'depthwise_conv2d',
        window,
        [x, weights([1, side, side, channels], 3, seed), bias(channels, seed)],
        int8([1, small, small, channels], 0.06, zero()),
      ),
      opCase(
        `add ${seed}`,
        'add',
        { clamp: [-128, 127] },
        [x, int8(x.shape, 0.04, zero())],
        int8(x.shape, 0.07, zero()),
      ),
    );
    const planes = pick([1, 3, 3, 8, 16]);
    const filters = pick([8, 16, 32]);
    layers.push(
      opCase(
        `convolution ${seed}`,
        'conv2d',
        pick([window, { ...window, padding: [before, after, 0, total] }]),
        [
          int8([1, size, size, planes], 0.05, zero()),
          weights([filters, side, side, planes], 0, seed),
          bias(filters, seed),
        ],
        int8([1, small, small, filters], 0.06, zero()),
      ),
    );
    const inputs = pick([64, 96, 128, 256, 640]);
    const outputs = pick([2, 10, 12, 64, 128]);
    layers.push(
      opCase(
        `fully connected ${seed}`,
        'fully_connected',
        { clamp: [-128, 127] },
        [int8([1, inputs], 0.05, zero()), weights([outputs, inputs], null, seed), bias(outputs, seed)],
        int8([1, outputs], 0.06, zero()),
      ),
    );
    if (seed % 3 > 0) continue;
    const vector = int8([1, 1, 1, more], 0.05, zero());
    const pool = { kernel: [2, 2], stride: [2, 2], padding: [0, 0, 0, 0], clamp: [-128, 127] } as const;
    const half = Math.floor(size / 2);
    const pooled = int8([1, half, half, channels], 0.05, x.quantization!.zeroPoints[0]);
    const whole = { ...pool, kernel: [size, size], stride: [size, size] } as const;
    layers.push(
      opCase(`maximum ${seed}`, 'max_pool2d', pool, [x], pooled),
      opCase(`average ${seed}`, 'average_pool2d', pool, [x], pooled),
      opCase(`global average ${seed}`, 'average_pool2d', whole, [x], {
        ...pooled,
        shape: [1, 1, 1, channels],
      }),
      opCase(
        `squeeze ${seed}`,
        'conv2d',
        { ...window, stride: [1, 1], padding: [0, 0, 0, 0] },
        [vector, weights([channels, 1, 1, more], 0, seed), bias(channels, seed)],
        int8([1, 1, 1, channels], 0.06, zero()),
      ),
      opCase(`mean ${seed}`, 'mean', { axes: [1, 2] }, [x], int8([1, channels], 0.04, zero())),
      opCase(`scale ${seed}`, 'mul', { clamp: [-128, 127] }, [x, int8([1, 1, 1, channels], 0.01, -128)], x),
    );
  }
  return layers;
}
