/** The instruction counter: a plugin for QEMU, built on first use, and what it reports. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fail } from '../core/diagnostics.ts';
import { cachedFolder, contentHash } from './cache.ts';
import { excerpt, type Firmware, WATCH_FILE } from './firmware.ts';
import { harnessFile } from './harness.ts';
import { execute } from './process.ts';
import { requireTool } from './toolchain.ts';

/** Instructions of one run of a model. The total is the sum of `beforeLayers` and `perLayer`. */
export interface Profile {
  readonly total: number;
  /** What runs ahead of the first layer, the call of the model included. */
  readonly beforeLayers: number;
  /** From each entry of a layer's function to the next entry of another's, whatever it calls included. */
  readonly perLayer: readonly number[];
}

/** Path of the plugin. Throws RV3004 without a C compiler for the host, RV9004 if it does not build. */
async function buildPlugin(): Promise<string> {
  const compiler = await requireTool('cc');
  const source = harnessFile('profile_plugin.c');
  const key = contentHash([await readFile(source, 'utf8'), compiler.version]);
  const folder = await cachedFolder(`plugin-${key}`, async (folder) => {
    const args = ['-shared', '-fPIC', '-O2', '-o', 'profile.so', source];
    const outcome = await execute(compiler.command, args, { cwd: folder });
    if (outcome.status !== 0) fail('RV9004', `building the profiler failed:\n${excerpt(outcome.output)}`);
  });
  return join(folder, 'profile.so');
}

/** Arguments that make QEMU write the profile of every run to the file `report`. */
export async function profileArguments(firmware: Firmware, report: string): Promise<string[]> {
  const watches = join(firmware.folder, WATCH_FILE);
  return ['-plugin', `${await buildPlugin()},watch=${watches},buckets=${firmware.layers},out=${report}`];
}

/** The profiles in a report, one a sample. */
export function parseProfiles(report: string): Profile[] {
  return report
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [total = 0, beforeLayers = 0, ...perLayer] = line.split(' ').map(Number);
      return { total, beforeLayers, perLayer };
    });
}
