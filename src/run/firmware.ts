/** Builds an emitted C project, with a harness around it, into a program for a core. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, normalize, resolve } from 'node:path';
import { fail } from '../core/diagnostics.ts';
import { type Core, findTarget, type Machine } from '../targets/index.ts';
import { cachedFolder, contentHash } from './cache.ts';
import {
  HARNESS_FILES,
  harnessFile,
  harnessSources,
  type ModelInterface,
  memoryMap,
  modelGlue,
} from './harness.ts';
import { execute } from './process.ts';
import { requireCompiler, requireTool, type Tool } from './toolchain.ts';

export interface FirmwareRequest extends ModelInterface {
  /** The emitted project: text by path relative to its root. main.c, if any, is left out. */
  readonly files: ReadonlyMap<string, string>;
  /** How many layers, i.e. functions `NAME_layer_<index>`, a profile tells apart. */
  readonly layers: number;
  /** A core or board, by any name that `findTarget` knows. */
  readonly core: string;
  /** -O2 or -Os. */
  readonly optimize: 'speed' | 'size';
  /** Build with RV_TRACE: the run records every layer's output. */
  readonly trace?: boolean;
  /** Host only: with the address and undefined-behaviour sanitizers. */
  readonly sanitize?: boolean;
  /** Host only: which compiler, `cc` unless told. */
  readonly compiler?: 'cc' | 'gcc' | 'clang';
  /** Build in this folder and leave everything there, instead of in the cache. */
  readonly dir?: string;
}

/**
 * Bytes a model takes in a firmware, read from the linked program: its own objects and the library functions they call;
 * harness, vector table and stack are not in it. `flash.data` are the initial values of `sram.data`.
 */
export interface FirmwareMemory {
  readonly sram: { readonly arena: number; readonly data: number; readonly bss: number };
  readonly flash: { readonly text: number; readonly rodata: number; readonly data: number };
}

export interface Firmware extends ModelInterface {
  readonly core: Core;
  readonly layers: number;
  readonly trace: boolean;
  /** The folder that holds it: the program, its map, the list of functions a profile watches. */
  readonly folder: string;
  /** The program to run, or to load into the machine. */
  readonly program: string;
  /** The emulated machine it is linked for; absent on the host. */
  readonly machine?: Machine;
  /** Absent on the host. */
  readonly memory?: FirmwareMemory;
}

/** The emitted project is held to these on every build. */
const MODEL_FLAGS = ['-std=c99', '-Wall', '-Wextra', '-Wconversion', '-Wshadow', '-Werror'];

/** The harness must not draw in library functions that would then count as the model's. */
const HARNESS_FLAGS = [
  '-std=gnu11',
  '-O2',
  '-Wall',
  '-Wextra',
  '-ffreestanding',
  '-fno-builtin',
  '-fno-tree-loop-distribute-patterns',
];

const SECTION_FLAGS = ['-ffunction-sections', '-fdata-sections'];
const SANITIZE_FLAGS = ['-g', '-fsanitize=address,undefined', '-fno-sanitize-recover=all'];

/** Raised when what is kept under a key changes in a way its parts do not show. */
const CACHE_FORMAT = '2';

/** What a build leaves beside the program, for when it is found in the cache. */
interface BuildRecord {
  readonly machine?: string;
  readonly memory?: FirmwareMemory;
}

const RECORD_FILE = 'firmware.json';
const PROGRAM_FILE = 'firmware.elf';
/** Functions a profile watches, see harness/profile_plugin.c. */
export const WATCH_FILE = 'watch.txt';

/** Text for a person, from the end of a long output: that is where the error is. */
export function excerpt(output: string): string {
  const text = output.trim();
  return text.length > 4000 ? `...${text.slice(-4000)}` : text;
}

async function compilerFor(request: FirmwareRequest, core: Core): Promise<Tool> {
  const compiler = request.compiler;
  return core.toolchain === 'host' && compiler !== undefined ? requireTool(compiler) : requireCompiler(core);
}

/** What selects code for a core. */
interface CoreFlags {
  readonly flags: readonly string[];
  /** What the flags mean on this computer, where they do not say so themselves. */
  readonly meaning: string;
}

async function coreFlags(request: FirmwareRequest, core: Core, compiler: Tool): Promise<CoreFlags> {
  if (core.toolchain === 'riscv') return { flags: [...core.flags, '--specs=picolibc.specs'], meaning: '' };
  if (core.toolchain === 'arm') return { flags: core.flags, meaning: '' };
  const native = await nativeFlags(compiler);
  return { ...native, flags: [...native.flags, ...(request.sanitize ? SANITIZE_FLAGS : [])] };
}

/**
 * What runs here may use all that this processor has: the kernels for vectors take whatever the compiler offers. The
 * cache may be seen from other processors, so that what the compiler makes of "native" belongs to the key. Contraction
 * into fused multiply-adds is off: it would round otherwise than the other executors.
 */
async function nativeFlags(compiler: Tool): Promise<CoreFlags> {
  const flags = ['-march=native', '-ffp-contract=off'];
  const macros = await execute(compiler.command, [...flags, '-dM', '-E', '-x', 'c', '/dev/null']);
  return macros.status === 0 ? { flags, meaning: macros.output } : { flags: [], meaning: '' };
}

/** The model's C files; a path that leaves the project is refused with RV3001. */
function modelSources(files: ReadonlyMap<string, string>): string[] {
  for (const path of files.keys())
    if (isAbsolute(path) || normalize(path).startsWith('..'))
      fail('RV3001', `the project's file name "${path}" leaves its folder`);
  return [...files.keys()].filter((path) => path.endsWith('.c') && !/(^|\/)main\.c$/.test(path));
}

async function writeFiles(folder: string, files: Iterable<readonly [string, string]>): Promise<void> {
  for (const [path, text] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

async function buildStep(
  what: string,
  command: string,
  args: readonly string[],
  cwd: string,
): Promise<string> {
  const outcome = await execute(command, args, { cwd });
  if (outcome.status === 0) return outcome.output;
  return fail('RV9004', `${what} failed:\n${excerpt(outcome.output)}`, { origin: `${command} in ${cwd}` });
}

/** Object files, named after the sources' base names, in `folder/objects`. */
async function compileInto(
  folder: string,
  objects: string,
  compiler: Tool,
  sources: readonly string[],
  flags: readonly string[],
): Promise<string[]> {
  const names = sources.map((path) => `${objects}/${path.replaceAll(/[/\\]/g, '_').replace(/\.c$/, '.o')}`);
  await mkdir(join(folder, objects), { recursive: true });
  for (const [i, source] of sources.entries()) {
    const from = objects === 'harness' ? harnessFile(source) : `model/${source}`;
    await buildStep(`compiling ${source}`, compiler.command, [...flags, '-c', from, '-o', names[i]!], folder);
  }
  return names;
}

/** Links for the first machine whose memory is large enough; RV3006 if none is. */
async function linkForMachine(
  folder: string,
  compiler: Tool,
  core: Core,
  flags: readonly string[],
  objects: readonly string[],
): Promise<Machine> {
  const script = [
    '-nostartfiles',
    '-T',
    harnessFile('sections.ld'),
    '-Wl,--gc-sections',
    '-Wl,-Map=firmware.map',
  ];
  const args = [...flags, ...objects, ...script, '-o', PROGRAM_FILE];
  let complaint = '';
  for (const machine of core.machines) {
    await writeFile(join(folder, 'memory.ld'), memoryMap(machine));
    const outcome = await execute(compiler.command, args, { cwd: folder });
    if (outcome.status === 0) return machine;
    complaint = excerpt(outcome.output);
    if (!/overflowed by|will not fit in region/.test(complaint))
      fail('RV9004', `linking failed:\n${complaint}`);
  }
  return fail('RV3006', `the firmware does not fit the memory of an emulated ${core.name}:\n${complaint}`);
}

/** The companion of the compiler in its toolchain, e.g. `arm-none-eabi-size`. */
function binutil(compiler: Tool, name: 'nm' | 'size'): string {
  return compiler.command.replace(/gcc$/, name);
}

async function measureMemory(folder: string, compiler: Tool): Promise<FirmwareMemory> {
  const table = await buildStep('measuring', binutil(compiler, 'size'), ['-A', '-d', PROGRAM_FILE], folder);
  const sizes = new Map<string, number>();
  for (const [, section, bytes] of table.matchAll(/^(\.\S+)\s+(\d+)\s/gm)) sizes.set(section!, Number(bytes));
  const size = (section: string) => sizes.get(section) ?? 0;
  return {
    sram: { arena: size('.arena'), data: size('.data'), bss: size('.bss') },
    flash: {
      text: size('.text'),
      rodata: size('.rodata') + size('.ARM.extab') + size('.ARM.exidx'),
      data: size('.data'),
    },
  };
}

/** Lines for the profiler. A compiler may add a suffix to a layer's name when it clones the function or splits it. */
async function listWatches(folder: string, compiler: Tool, name: string, layers: number): Promise<string> {
  const symbols = await buildStep('reading symbols', binutil(compiler, 'nm'), [PROGRAM_FILE], folder);
  const marks = new Map([
    ['rv_mark_begin', -1],
    ['rv_mark_end', -2],
  ]);
  const layer = new RegExp(`^${name}_layer_(\\d+)(?:\\..*)?$`);
  const lines: string[] = [];
  for (const [, address, symbol] of symbols.matchAll(/^([0-9a-f]+) [tT] (\S+)$/gm)) {
    const bucket = marks.get(symbol!) ?? Number(layer.exec(symbol!)?.[1] ?? Number.NaN);
    // The lowest bit of an address says Thumb on Arm, and is 0 elsewhere.
    if (bucket < layers) lines.push(`${(BigInt(`0x${address}`) & ~1n).toString(16)} ${bucket}`);
  }
  return `${lines.join('\n')}\n`;
}

async function build(
  request: FirmwareRequest,
  core: Core,
  compiler: Tool,
  { flags: selecting }: CoreFlags,
  folder: string,
): Promise<void> {
  const sources = modelSources(request.files);
  await writeFiles(join(folder, 'model'), request.files);
  await writeFiles(folder, [['harness_model.h', modelGlue(request)]]);
  const flags = [...selecting, ...SECTION_FLAGS, ...(request.trace ? ['-DRV_TRACE'] : [])];
  const optimize = request.optimize === 'speed' ? '-O2' : '-Os';
  const objects = [
    ...(await compileInto(folder, 'model_objects', compiler, sources, [
      ...flags,
      ...MODEL_FLAGS,
      optimize,
      '-Imodel',
    ])),
    ...(await compileInto(folder, 'harness', compiler, harnessSources(core), [
      ...flags,
      ...(core.toolchain === 'host' ? ['-std=gnu11', '-O2'] : HARNESS_FLAGS),
      '-I.',
      '-Imodel',
    ])),
  ];
  const record = await link(request, core, compiler, selecting, folder, objects);
  await writeFile(join(folder, RECORD_FILE), JSON.stringify(record));
}

async function link(
  request: FirmwareRequest,
  core: Core,
  compiler: Tool,
  flags: readonly string[],
  folder: string,
  objects: readonly string[],
): Promise<BuildRecord> {
  if (core.toolchain === 'host') {
    await buildStep('linking', compiler.command, [...flags, ...objects, '-o', PROGRAM_FILE], folder);
    return {};
  }
  const machine = await linkForMachine(folder, compiler, core, flags, objects);
  await writeFile(
    join(folder, WATCH_FILE),
    await listWatches(folder, compiler, request.name, request.layers),
  );
  return { machine: machine.name, memory: await measureMemory(folder, compiler) };
}

async function buildKey(
  request: FirmwareRequest,
  core: Core,
  compiler: Tool,
  { meaning }: CoreFlags,
): Promise<string> {
  const harness = await Promise.all(HARNESS_FILES.map((name) => readFile(harnessFile(name), 'utf8')));
  const {
    name,
    inputBytes,
    outputBytes,
    reads,
    training,
    layers,
    optimize,
    trace = false,
    sanitize = false,
  } = request;
  const files = [...request.files].sort(([a], [b]) => (a < b ? -1 : 1)).flat();
  const options = {
    name,
    inputBytes,
    outputBytes,
    reads,
    training,
    layers,
    optimize,
    trace,
    sanitize,
    core,
    compiler,
  };
  return contentHash([CACHE_FORMAT, JSON.stringify(options), meaning, ...harness, ...files]);
}

/** Leaves what running takes: sources and objects of a large network are many times the size of its program. */
async function removeSources(folder: string): Promise<void> {
  for (const part of ['model', 'model_objects', 'harness'])
    await rm(join(folder, part), { recursive: true, force: true });
}

/**
 * Compiles the project without tolerating a warning and links it with the harness. The same request finds its earlier
 * result in a cache under the system's folder for temporary files. Throws RV3003 (unknown core), RV3004 (no compiler),
 * RV3006 (too large for any emulated machine of the core) and RV9004 (the project does not compile).
 */
export async function buildFirmware(request: FirmwareRequest): Promise<Firmware> {
  const { core } = findTarget(request.core);
  const compiler = await compilerFor(request, core);
  const flags = await coreFlags(request, core, compiler);
  const make = (folder: string) => build(request, core, compiler, flags, folder);
  let folder: string;
  if (request.dir === undefined) {
    folder = await cachedFolder(
      `firmware-${await buildKey(request, core, compiler, flags)}`,
      async (scratch) => {
        await make(scratch);
        await removeSources(scratch);
      },
    );
  } else {
    folder = resolve(request.dir);
    await mkdir(folder, { recursive: true });
    await make(folder);
  }
  const record = JSON.parse(await readFile(join(folder, RECORD_FILE), 'utf8')) as BuildRecord;
  const machine = core.machines.find(({ name }) => name === record.machine);
  const { name, inputBytes, outputBytes, reads, layers, trace = false } = request;
  return {
    ...{ name, inputBytes, outputBytes, layers, trace, core, folder, program: join(folder, PROGRAM_FILE) },
    ...(reads === undefined ? {} : { reads }),
    ...(machine === undefined ? {} : { machine }),
    ...(record.memory === undefined ? {} : { memory: record.memory }),
  };
}
