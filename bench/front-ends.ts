/**
 * `npm run bench:sound`: what front-ends for sound cost on emulated cores, and how far their integers are from real
 * numbers. Writes the tables of docs/audio.md between their comments.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { FeatureExtractor } from '../src/audio/features.ts';
import { clipSamples, type FrontEnd } from '../src/audio/front-end.ts';
import { tablesOf } from '../src/audio/tables.ts';
import { asBytes } from '../src/core/dtype.ts';
import { frontEndBytes, frontEndConstantBytes } from '../src/emit/front-end.ts';
import { runFirmware } from '../src/run/execute.ts';
import { buildFirmware } from '../src/run/firmware.ts';
import { frontEndRequest } from '../test/audio/firmware.ts';
import { bandsInFloat } from '../test/audio/float-front-end.ts';
import { FRONT_ENDS } from '../test/audio/front-ends.ts';
import { SIGNALS } from '../test/audio/signals.ts';

const PAGE = 'docs/audio.md';
const CORES = ['cortex-m0plus', 'cortex-m4', 'cortex-m7', 'rv32imac'] as const;

const BANDS: FrontEnd = { ...FRONT_ENDS.keywords!, spectrum: 'power', coefficients: 0, low: 60 };
const MEASURED: Readonly<Record<string, FrontEnd>> = {
  '16 kHz, 30 ms every 20 ms, 40 bands, magnitudes, 10 coefficients': FRONT_ENDS.keywords!,
  '16 kHz, 25 ms every 10 ms, 40 bands': { ...BANDS, window: 400, hop: 160, high: 8000 },
  '8 kHz, 32 ms every 20 ms, 32 bands': { ...BANDS, rate: 8000, window: 256, hop: 160, bands: 32 },
};

const number = (x: number): string => x.toLocaleString('en-US', { maximumFractionDigits: 0 });

/** Instructions of one frame, all but those of the program around it. */
async function instructionsOf(frontEnd: FrontEnd, core: string): Promise<number> {
  const total = async (frames: number): Promise<number> => {
    const clip = { ...frontEnd, frames };
    const samples = SIGNALS['speech-like']!(clipSamples(clip));
    const request = frontEndRequest(clip, core, { pieces: [frontEnd.hop], logarithms: false });
    const { instructions } = await runFirmware(await buildFirmware(request), [[asBytes(samples)]], {
      profile: true,
    });
    return instructions!;
  };
  const [few, many] = [await total(2), await total(12)];
  return (many - few) / 10;
}

/** Differences of all bands of a signal in decibels, sorted. */
function decibelsOff(frontEnd: FrontEnd, signal: string): number[] {
  const clip = SIGNALS[signal]!(clipSamples(frontEnd));
  const found = new FeatureExtractor({ ...frontEnd, coefficients: 0 }).clip(clip);
  const perNeper = (frontEnd.spectrum === 'power' ? 10 : 20) / Math.LN10;
  const wanted = Array.from({ length: frontEnd.frames }, (_, frame) =>
    Array.from(bandsInFloat(frontEnd, clip, frame * frontEnd.hop), Math.log),
  ).flat();
  return wanted.map((x, i) => perNeper * Math.abs(found[i]! / 4096 - x)).sort((a, b) => a - b);
}

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const rule = titles.map((_, i) => (i === 0 ? '---' : '---:'));
  return [titles, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function write(mark: string, text: string): void {
  const [begin, end] = [`<!-- begin ${mark} -->`, `<!-- end ${mark} -->`];
  const page = readFileSync(PAGE, 'utf8');
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${PAGE} has no place for ${mark}`);
  writeFileSync(PAGE, `${page.slice(0, from + begin.length)}\n${text}\n${page.slice(to)}`);
}

const costs: string[][] = [];
for (const [name, frontEnd] of Object.entries(MEASURED)) {
  const tables = tablesOf(frontEnd);
  const instructions: string[] = [];
  for (const core of CORES) instructions.push(number(await instructionsOf(frontEnd, core)));
  costs.push([name, number(frontEndBytes(tables)), number(frontEndConstantBytes(tables)), ...instructions]);
}
write('costs', table(['front-end', 'SRAM, bytes', 'tables, bytes', ...CORES], costs));

const errors = ['speech-like', 'noise', 'full-scale noise', 'tone', 'chirp', 'impulse'].map((signal) => {
  const off = Object.values(MEASURED).map((frontEnd) => decibelsOff({ ...frontEnd, frames: 20 }, signal));
  return [
    signal,
    ...off.map((sorted) =>
      [0.5, 0.99, 1].map((share) => sorted[Math.ceil(share * sorted.length) - 1]!.toFixed(3)).join(' / '),
    ),
  ];
});
write('errors', table(['signal', ...Object.keys(MEASURED)], errors));
