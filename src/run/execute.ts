/** Runs a firmware on samples: on an emulated machine or on the host, all samples in one go. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fail } from '../core/diagnostics.ts';
import type { Machine } from '../targets/index.ts';
import { scratchFolder } from './cache.ts';
import { buildFirmware, excerpt, type Firmware, type FirmwareRequest } from './firmware.ts';
import { execute } from './process.ts';
import { type Profile, parseProfiles, profileArguments } from './profile.ts';
import { requireTool } from './toolchain.ts';

/** The bytes of each input of a sample, or of each output. */
export type Tensors = readonly Uint8Array[];

export interface RunOptions {
  /** Count instructions (emulated machines only, and not in a build with trace). */
  readonly profile?: boolean;
  /** Milliseconds for all samples together. */
  readonly timeoutMs?: number;
}

/** What a layer left in memory: the bytes it passed to rv_trace. */
export interface TraceRecord {
  readonly layer: number;
  readonly data: Uint8Array;
}

export interface RunResult {
  /** Of each sample, the bytes of each output. */
  readonly outputs: readonly Tensors[];
  /** The emulated machine, or `host`. */
  readonly machine: string;
  /**
   * Deepest stack use of any sample in bytes, from the call of the model on; with trace it includes the tracing. Absent
   * on the host.
   */
  readonly stack?: number;
  /** Instructions of the first sample's inference. */
  readonly instructions?: number;
  /** The same by layer; what runs ahead of the first layer is in no entry. */
  readonly perLayer?: readonly number[];
  /** The profile of every sample. */
  readonly profiles?: readonly Profile[];
  /** Of each sample, the records in the order they were made. */
  readonly trace?: readonly (readonly TraceRecord[])[];
}

const DEFAULT_TIMEOUT_MS = 120_000;

/** Semihosting gives the firmware files and an exit; nothing else of the machine is connected. */
const QEMU_ARGUMENTS = [
  '-display',
  'none',
  '-monitor',
  'none',
  '-serial',
  'none',
  '-semihosting-config',
  'enable=on,target=native',
];

function checkSamples(firmware: Firmware, samples: readonly Tensors[]): void {
  samples.forEach((sample, index) => {
    const given = sample.map((tensor) => tensor.length).join(' + ');
    const wanted = firmware.inputBytes.join(' + ');
    if (given !== wanted)
      fail('RV3002', `sample ${index} has ${given} bytes where the model takes ${wanted}`);
  });
}

function splitOutputs(data: Uint8Array, firmware: Firmware, samples: number): Tensors[] {
  const sizes = firmware.reads?.map(({ bytes }) => bytes) ?? firmware.outputBytes;
  const sampleBytes = sizes.reduce((sum, bytes) => sum + bytes, 0);
  if (data.length !== samples * sampleBytes)
    fail('RV9004', `the firmware wrote ${data.length} bytes for ${samples} samples of ${sampleBytes}`);
  return Array.from({ length: samples }, (_, sample) => {
    let end = sample * sampleBytes;
    return sizes.map((bytes) => {
      end += bytes;
      return data.slice(end - bytes, end);
    });
  });
}

/** Records as written by harness/main.c; both byte orders in play are little-endian. */
function splitTrace(data: Uint8Array): TraceRecord[][] {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const samples: TraceRecord[][] = [];
  for (let at = 0; at < data.length; ) {
    const layer = view.getInt32(at, true);
    const start = at + 8;
    at = start + view.getInt32(at + 4, true);
    if (layer < 0) samples.push([]);
    else samples.at(-1)!.push({ layer, data: data.slice(start, at) });
  }
  return samples;
}

/** Runs the program in `folder`, where its files are. Throws RV9004 with its output unless it ends well and in time. */
async function launch(
  firmware: Firmware,
  folder: string,
  extra: readonly string[],
  timeoutMs: number,
): Promise<void> {
  const { machine, program } = firmware;
  const outcome =
    machine === undefined
      ? await execute(program, [], { cwd: folder, timeoutMs })
      : await execute(await emulator(machine), [...machineArguments(machine), ...extra, '-kernel', program], {
          cwd: folder,
          timeoutMs,
        });
  if (outcome.status === 0) return;
  const where = machine?.name ?? 'the host';
  const what = outcome.timedOut
    ? `did not end within ${timeoutMs} ms`
    : `ended with status ${outcome.status ?? 'unknown'}`;
  fail('RV9004', `the firmware ${what} on ${where}:\n${excerpt(outcome.output)}`, { origin: program });
}

async function emulator(machine: Machine): Promise<string> {
  return (await requireTool(machine.emulator)).command;
}

function machineArguments(machine: Machine): string[] {
  return ['-M', machine.name, ...(machine.options ?? []), ...QEMU_ARGUMENTS];
}

/** `stack N` in the harness's report, N in hexadecimal. */
function parseStack(report: string): number {
  const digits = /^stack ([0-9a-f]+)$/m.exec(report)?.[1];
  return digits === undefined ? fail('RV9004', 'the firmware wrote no report') : Number.parseInt(digits, 16);
}

/**
 * Runs every sample in one start of the machine. Throws RV3002 (a sample of the wrong size), RV3001 (a profile of what
 * cannot be profiled), RV3004 (no emulator) and RV9004 (a fault, a failure or no end in time, with all that was printed).
 */
export async function runFirmware(
  firmware: Firmware,
  samples: readonly Tensors[],
  { profile = false, timeoutMs = DEFAULT_TIMEOUT_MS }: RunOptions = {},
): Promise<RunResult> {
  checkSamples(firmware, samples);
  const { machine, trace } = firmware;
  if (profile && (trace || machine === undefined))
    fail('RV3001', 'instructions are counted on emulated machines only, and not in a build with trace');
  const folder = await scratchFolder('run');
  const text = (file: string) => readFile(join(folder, file), 'utf8');
  const bytes = async (file: string) => new Uint8Array(await readFile(join(folder, file)));
  try {
    await writeFile(join(folder, 'input.bin'), Buffer.concat(samples.flat()));
    await launch(firmware, folder, profile ? await profileArguments(firmware, 'profile.txt') : [], timeoutMs);
    const profiles = profile ? parseProfiles(await text('profile.txt')) : [];
    return {
      outputs: splitOutputs(await bytes('output.bin'), firmware, samples.length),
      machine: machine?.name ?? 'host',
      ...(machine === undefined ? {} : { stack: parseStack(await text('report.txt')) }),
      ...(profiles[0] === undefined
        ? {}
        : { instructions: profiles[0].total, perLayer: profiles[0].perLayer, profiles }),
      ...(trace ? { trace: splitTrace(await bytes('trace.bin')) } : {}),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Builds for the host and runs there: the same result as an emulated machine's, without stack and instructions. */
export async function runNative(
  request: Omit<FirmwareRequest, 'core'>,
  samples: readonly Tensors[],
  options: Pick<RunOptions, 'timeoutMs'> = {},
): Promise<RunResult> {
  return runFirmware(await buildFirmware({ ...request, core: 'host' }), samples, options);
}
