/**
 * Models over time: every window of a stream gives the bytes of the same window from scratch, on every executor; what is
 * kept is what has to be; and each thing that must not go wrong is seen when it does.
 */
import { describe, expect, it } from 'vitest';
import { compile, openStream, run } from '../../src/api.ts';
import { chooseOverTime } from '../../src/choose-over-time.ts';
import type { Scheduled } from '../../src/choose-schedule.ts';
import { RivuletError } from '../../src/core/diagnostics.ts';
import { emitProject } from '../../src/emit/project.ts';
import type { Graph } from '../../src/ir/types.ts';
import { checkPlan } from '../../src/plan/check.ts';
import { plan } from '../../src/plan/plan.ts';
import type { Program } from '../../src/program/types.ts';
import { runFirmware } from '../../src/run/execute.ts';
import { buildFirmware } from '../../src/run/firmware.ts';
import { completesWindow, FrameStream, referenceStream } from '../../src/run/stream.ts';
import { upTo } from '../plan/programs.ts';
import { failuresOf, hasCommand } from '../support/emitted.ts';
import { canRun } from '../support/firmware.ts';
import { tinyModelFile } from '../support/models.ts';
import { randomFrames, soundFrames } from '../support/streams.ts';
import { keywordNetwork, TimeNetwork, temporalNetwork } from '../support/time-models.ts';

const CORE = 'cortex-m4';
const SANITIZE = ['-O1', '-fsanitize=address,undefined', '-fno-sanitize-recover=all'];

interface Case {
  readonly graph: Graph;
  readonly hop?: number;
  readonly maxSram?: number;
}

const CASES: Readonly<Record<string, Case>> = {
  'no padding': { graph: keywordNetwork(0) },
  'no padding, a longer hop': { graph: keywordNetwork(0), hop: 6 },
  padding: { graph: keywordNetwork(1) },
  'padding, little kept': { graph: keywordNetwork(1), maxSram: 0 },
  'padding, a hop that leaves a remainder': { graph: keywordNetwork(1), hop: 20 },
  dilation: { graph: temporalNetwork() },
};

describe.each(Object.entries(CASES))('%s', (_, { graph, hop, maxSram }) => {
  const scheduled = chooseOverTime(graph, hop, maxSram);
  const sliding = scheduled.program.sliding!;
  const count = sliding.windowFrames + 3 * sliding.hopFrames;
  const random = randomFrames(scheduled.program, count, 1);

  it.each([
    ['random', random],
    ['sound', soundFrames(scheduled.program, 2 * count, 2)],
  ])('gives the bytes of every window from scratch, %s', async (_, frames) => {
    expect(await pushed(scheduled, frames)).toEqual(referenceStream(graph, sliding, frames));
  });

  it.skipIf(!hasCommand('gcc')).each(['speed', 'size'] as const)('the same in C for %s', (optimize) => {
    const name = 'stream';
    const project = emitProject(scheduled.program, scheduled.plan, { name, optimize, provenance: '' });
    const stream = { frames: random, outputs: referenceStream(graph, sliding, random) };
    const emitted = { name, project, samples: [], stream };
    expect(failuresOf([emitted], { command: 'gcc', flags: SANITIZE })).toEqual([]);
  });

  it.skipIf(!canRun(CORE))(`the same on ${CORE}, in the SRAM that was promised`, async () => {
    const { program } = scheduled;
    const project = emitProject(program, scheduled.plan, {
      name: 'stream',
      optimize: 'speed',
      provenance: '',
    });
    const firmware = await buildFirmware({
      files: project,
      name: 'stream',
      inputBytes: [random[0]!.length],
      outputBytes: program.outputs.map(({ bytes }) => bytes),
      layers: program.calls.length,
      core: CORE,
      optimize: 'speed',
    });
    const { outputs } = await runFirmware(
      firmware,
      random.map((frame) => [frame]),
    );
    const complete = outputs.map((tensors, i) => (completesWindow(sliding, i + 1) ? [...tensors] : null));
    expect(complete).toEqual(referenceStream(graph, sliding, random));
    const { arena, data, bss } = firmware.memory!.sram;
    expect(arena + data + bss).toBe(scheduled.plan.arenaBytes + 8);
  });
});

describe('what is computed', () => {
  it('is one row of every layer where nothing is padded', () => {
    const { program } = chooseOverTime(temporalNetwork(), undefined);
    expect(program.sliding).toMatchObject({ windowFrames: 40, hopFrames: 1 });
    expect(rowsOf(program)).toEqual(program.calls.filter(({ op }) => op !== 'keep').map(() => 1));
  });

  it('follows the strides', () => {
    const { program } = chooseOverTime(keywordNetwork(0), undefined);
    expect(program.sliding!.hopFrames).toBe(2);
    // Two frames, one row of each convolution, twelve rows into the mean, one classifier.
    expect(rowsOf(program)).toEqual([2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 12, 1]);
  });

  it('includes the rows that padding reaches, a few more with every layer', () => {
    const { program } = chooseOverTime(keywordNetwork(1), undefined);
    const convolutions = rowsOf(program).slice(1, -2);
    // Above and below, from the padding of all layers so far.
    expect(convolutions).toEqual([5, 7, 7, 9, 9, 11, 11, 13, 13]);
    expect(macsOf(program)).toBeLessThan(program.sliding!.windowMacs / 2);
  });

  it('is more where less is kept', () => {
    const [most, least] = [chooseOverTime(keywordNetwork(1), 2), chooseOverTime(keywordNetwork(1), 2, 0)];
    expect(least.plan.arenaBytes).toBeLessThan(most.plan.arenaBytes);
    expect(macsOf(least.program)).toBeGreaterThan(macsOf(most.program));
    const between = chooseOverTime(keywordNetwork(1), 2, most.plan.arenaBytes + 7);
    expect(between.plan.arenaBytes + 8).toBeLessThanOrEqual(most.plan.arenaBytes + 7);
    expect(macsOf(between.program)).toBeLessThan(macsOf(least.program));
  });
});

describe('faults that are seen', () => {
  it.skipIf(!hasCommand('gcc'))('a byte that the emitted C computes otherwise', () => {
    const { program: streamed, plan: planned } = chooseOverTime(temporalNetwork(), undefined);
    const frames = randomFrames(streamed, streamed.sliding!.windowFrames + 3, 1);
    const outputs = referenceStream(temporalNetwork(), streamed.sliding!, frames);
    const last = outputs.at(-1)![0]!;
    last[last.length - 1]! ^= 1;
    const project = emitProject(streamed, planned, { name: 'off', optimize: 'size', provenance: '' });
    const emitted = { name: 'off', project, samples: [], stream: { frames, outputs } };
    const complaint = `off frame ${frames.length - 1}`;
    expect(failuresOf([emitted], { command: 'gcc', flags: [] })).toEqual([complaint, complaint]);
  });

  const graph = keywordNetwork(1);
  const { program } = chooseOverTime(graph, undefined);
  const kept = program.calls.filter(({ op }) => op === 'keep');

  it.each(kept.map(({ index }) => index))('what is kept one row off, call %i', async (index) => {
    const off = change(program, index, (call) => {
      const pitch = rowBytesOf(program, call.output.buffer);
      return { ...call, slots: call.slots.map((slot) => ({ ...slot, offset: slot.offset - pitch })) };
    });
    await expect(outcome(graph, off)).resolves.toMatch(/^(RV9002|differs)$/);
  });

  it.each(kept.map(({ output }) => output.buffer))('a history one row short, buffer %i', async (buffer) => {
    const pitch = rowBytesOf(program, buffer);
    const buffers = program.buffers.map((b) => (b.id === buffer ? { ...b, bytes: b.bytes - pitch } : b));
    expect(await outcome(graph, { ...program, buffers })).toBe('RV9002');
  });

  it('rows that should be computed again and are not', async () => {
    const index = program.calls.findIndex(({ op }) => op === 'conv2d');
    const fewer = change(program, index, (call) => ({
      ...call,
      firings: call.firings - 1,
      slots: call.slots.map((slot) => ({ ...slot, rows: slot.rows.slice(1) })),
      output: { ...call.output, rows: call.output.rows.slice(1) },
    }));
    await expect(outcome(graph, fewer)).resolves.toMatch(/^(RV9002|differs)$/);
  });

  it('two histories in one place', () => {
    const planned = plan(program);
    const [a, b] = kept.map(({ output }) => output.buffer);
    const addresses = planned.addresses.with(b!, planned.addresses[a!]!);
    expect(() => checkPlan(program, { ...planned, addresses })).toThrow('RV9002');
  });

  it('nothing, where nothing was changed', async () => {
    expect(await outcome(graph, program)).toBe('same');
  });
});

describe('the API', () => {
  const bytes = tinyModelFile();

  it('opens a stream, which takes frames of one size', async () => {
    const stream = await openStream(compile(bytes, { streamAxis: 'time' }));
    const frame = new Uint8Array(24);
    const outputs = Array.from({ length: 10 }, () => stream.push(frame));
    expect(outputs.map((tensors) => tensors !== null)).toEqual([...upTo(7).fill(0), 1, 0, 1].map(Boolean));
    expect(() => stream.push(new Uint8Array(23))).toThrow('RV3002');
  });

  it('keeps inferences and streams apart', async () => {
    await expect(openStream(compile(bytes))).rejects.toThrow('RV3001');
    await expect(run(compile(bytes, { streamAxis: 'time' }), [new Uint8Array(48)])).rejects.toThrow('RV3001');
  });
});

describe('what cannot run over time', () => {
  const refused = (graph: Graph, hop?: number) => {
    try {
      chooseOverTime(graph, hop);
    } catch (error) {
      if (error instanceof RivuletError) return error.diagnostics[0]!;
    }
    throw new Error('it was not refused');
  };

  it('time in one row', () => {
    const network = new TimeNetwork('columns', [1, 1, 49, 10]).conv(4, { kernel: [1, 3] }).dense(3);
    expect(refused(network.build())).toMatchObject({
      code: 'RV2009',
      origin: expect.stringContaining('conv2d'),
      hint: expect.stringContaining('second axis'),
    });
  });

  it('a batch', () => {
    const network = new TimeNetwork('batch', [2, 9, 4, 1]).conv(4, { kernel: [3, 3] });
    expect(refused(network.build())).toMatchObject({
      code: 'RV2009',
      message: expect.stringContaining('batch'),
    });
  });

  it('a first layer that sees all frames', () => {
    const network = new TimeNetwork('whole', [1, 9, 4, 1]).conv(4, { kernel: [9, 1] });
    expect(refused(network.build())).toMatchObject({
      code: 'RV2009',
      message: expect.stringContaining('all frames at once'),
      origin: expect.stringContaining('conv2d'),
    });
  });

  it('padding everywhere', () => {
    const network = new TimeNetwork('padded', [1, 5, 4, 1]).conv(4, { kernel: [9, 1], around: [4, 0] });
    expect(refused(network.build())).toMatchObject({
      code: 'RV2009',
      message: expect.stringContaining('padding'),
    });
  });

  it('a hop between the strides, or beyond the window', () => {
    expect(refused(keywordNetwork(0), 3)).toMatchObject({
      code: 'RV2009',
      message: expect.stringContaining('2 rows apart'),
    });
    for (const hop of [0, 1.5, 49]) expect(refused(keywordNetwork(0), hop)).toMatchObject({ code: 'RV3001' });
  });
});

async function pushed({ program, plan }: Pick<Scheduled, 'program' | 'plan'>, frames: readonly Uint8Array[]) {
  const stream = await FrameStream.open(program, plan);
  return frames.map((frame) => stream.push(frame));
}

/** What becomes of a program: the code of a diagnostic, or whether a stream gives the bytes of the reference. */
async function outcome(graph: Graph, program: Program): Promise<string> {
  const { sliding } = program;
  const frames = randomFrames(program, sliding!.windowFrames + 8, 5);
  try {
    const outputs = await pushed({ program, plan: plan(program) }, frames);
    const expected = referenceStream(graph, sliding!, frames);
    return JSON.stringify(outputs) === JSON.stringify(expected) ? 'same' : 'differs';
  } catch (error) {
    if (error instanceof RivuletError) return error.diagnostics[0]!.code;
    throw error;
  }
}

function change(
  program: Program,
  index: number,
  edit: (call: Program['calls'][number]) => Program['calls'][number],
): Program {
  const calls = program.calls.map((call) => (call.index === index ? edit(call) : call));
  const schedule = program.schedule.map((run) => ({ ...run, count: calls[run.call]!.firings }));
  return { ...program, calls, schedule };
}

/** Bytes of a row of what is computed or pushed into a buffer. */
function rowBytesOf({ calls }: Program, buffer: number): number {
  return calls.find(({ op, output }) => op !== 'keep' && output.buffer === buffer)!.output.rowBytes;
}

function rowsOf({ calls }: Program): number[] {
  return calls.filter(({ op }) => op !== 'keep').map(({ firings }) => firings);
}

function macsOf({ calls }: Program): number {
  return calls.reduce((sum, { macs }) => sum + macs, 0);
}
