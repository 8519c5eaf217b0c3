/** Search spaces as JSON, in the words of `Space`. */
import { fail } from '../core/diagnostics.ts';
import { type JsonObject, parseJsonObject } from '../formats/json.ts';
import type { Space } from './space.ts';

const DIALECT = { code: 'RV6005', maxBytes: 1 << 18 } as const;
/** Sides, channels and strides beyond these are mistakes. */
const MAX_SIDE = 1024;
const MAX_CHANNELS = 4096;
const MAX_DEPTH = 64;

/**
 * Reads what `JSON.stringify` makes of a space.
 * @param origin the file, for diagnostics
 * @throws RivuletError RV6005
 */
export function parseSpace(bytes: Uint8Array, origin: string): Space {
  const json = parseJsonObject(bytes, DIALECT, origin);
  const widthPer = json.text('widthPer');
  if (widthPer !== 'network' && widthPer !== 'block') {
    return json.refuse('widthPer', '"network" or "block" belongs here');
  }
  const stem = json.object('stem');
  const kernels = ascending(json, 'kernels', (key) => json.integers(key, 1, 31));
  if (kernels.some((kernel) => kernel % 2 === 0)) json.refuse('kernels', 'an even window has no middle');
  return {
    name: json.text('name'),
    description: json.has('description') ? json.text('description') : '',
    imageChannels: json.integer('imageChannels', 1, MAX_CHANNELS),
    classes: json.integer('classes', 2, MAX_CHANNELS),
    resolutions: ascending(json, 'resolutions', (key) => json.integers(key, 1, MAX_SIDE)),
    widths: ascending(json, 'widths', (key) => positive(json, key)),
    widthPer,
    kernels,
    expansions: ascending(json, 'expansions', (key) => positive(json, key)),
    stem: { channels: stem.integer('channels', 1, MAX_CHANNELS), stride: stem.integer('stride', 1, 8) },
    firstBlock: json.integer('firstBlock', 1, MAX_CHANNELS),
    stages: stagesOf(json),
    head: json.isNull('head') ? null : json.integer('head', 1, MAX_CHANNELS),
  };
}

function stagesOf(json: JsonObject): Space['stages'] {
  const stages = json.objects('stages').map((stage) => ({
    channels: stage.integer('channels', 1, MAX_CHANNELS),
    stride: stage.integer('stride', 1, 8),
    depths: ascending(stage, 'depths', (key) => stage.integers(key, 1, MAX_DEPTH)),
  }));
  return stages.length > 0 ? stages : json.refuse('stages', 'a space has at least one stage');
}

function positive(json: JsonObject, key: string): readonly number[] {
  const values = json.numbers(key);
  return values.every((value) => value > 0) ? values : json.refuse(key, 'all must be positive');
}

function ascending(
  json: JsonObject,
  key: string,
  read: (key: string) => readonly number[],
): readonly number[] {
  const values = read(key);
  const rises = values.every((value, i) => i === 0 || value > values[i - 1]!);
  return values.length > 0 && rises
    ? values
    : json.refuse(key, 'ascending choices belong here, at least one');
}

/** What data decide about a space: channels of its pictures, and classes. */
export function adaptSpace(space: Space, imageChannels: number, classes: number): Space {
  return { ...space, imageChannels, classes };
}

/**
 * The space with one of its widths and resolutions.
 * @throws RivuletError RV3001 where one is not given, or is not of the space
 */
export function narrowSpace(space: Space, width: number | undefined, resolution: number | undefined): Space {
  const choose = (option: string, choices: readonly number[], chosen: number | undefined): number[] => {
    if (chosen === undefined && choices.length === 1) return [...choices];
    const hint = `one of ${choices.join(', ')}; "rivulet search space" says which suits a chip`;
    if (chosen === undefined)
      fail('RV3001', `the space "${space.name}" leaves it open`, { origin: option, hint });
    if (!choices.includes(chosen))
      fail('RV3001', `${chosen} is not of the space "${space.name}"`, { origin: option, hint });
    return [chosen];
  };
  return {
    ...space,
    // A width for every block is a gene.
    widths:
      space.widthPer === 'block' && width === undefined
        ? space.widths
        : choose('--width', space.widths, width),
    resolutions: choose('--resolution', space.resolutions, resolution),
  };
}
