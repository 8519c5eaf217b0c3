/** How much a search may take, as data: from a quarter of an hour to days. */
import { fail } from '../core/diagnostics.ts';
import { type JsonObject, parseJsonObject } from '../formats/json.ts';
import type { SupernetPlan } from '../supernet/train.ts';
import { DEFAULT_RECIPE, type Recipe, recipeIn, requireKnown } from '../train/recipe.ts';
import { DEFAULT_SETTINGS, type Settings } from './evolution.ts';

export interface Effort {
  /** Items for training that the supernet takes of the data; null: all. */
  readonly items: number | null;
  readonly supernet: SupernetPlan;
  readonly search: Settings;
  /** Of the winner, from the weights that it inherits. */
  readonly finetune: Recipe;
}

/** Fewer steps want averages over fewer of them, and easier pictures. */
const SHORT: Recipe = {
  ...DEFAULT_RECIPE,
  augmentation: { ...DEFAULT_RECIPE.augmentation, shift: 1 },
  average: 0.99,
  recalibration: 32,
  heldOut: 0.1,
  warmUp: 0.5,
};
const LONG: Recipe = { ...DEFAULT_RECIPE, heldOut: 0.1 };

export const EFFORTS = {
  /** A walk through all of it. */
  small: {
    items: 12_000,
    supernet: { largest: { ...SHORT, epochs: 3 }, shared: { ...SHORT, epochs: 5 }, networks: 2 },
    search: { ...DEFAULT_SETTINGS, population: 20, iterations: 4, parents: 6 },
    finetune: { ...SHORT, epochs: 4, heldOut: 0 },
  },
  /** An evening. */
  standard: {
    items: null,
    supernet: { largest: { ...LONG, epochs: 8 }, shared: { ...LONG, epochs: 16 }, networks: 4 },
    search: { ...DEFAULT_SETTINGS, population: 50, iterations: 15, parents: 12 },
    finetune: { ...LONG, epochs: 15, rate: 0.05, heldOut: 0 },
  },
  /** The published search; the epochs are those of small pictures. */
  full: {
    items: null,
    supernet: { largest: { ...LONG, epochs: 30 }, shared: { ...LONG, epochs: 60 }, networks: 4 },
    search: DEFAULT_SETTINGS,
    finetune: { ...LONG, epochs: 60, heldOut: 0 },
  },
} as const satisfies Record<string, Effort>;

export type EffortName = keyof typeof EFFORTS;

const DIALECT = { code: 'RV5001', maxBytes: 1 << 16 } as const;
const FIELDS = { base: 0, items: 0, largest: 0, shared: 0, networks: 0, search: 0, finetune: 0 };

export function isEffort(name: string): name is EffortName {
  return Object.hasOwn(EFFORTS, name);
}

/**
 * Reads `{ "base": "standard", "items", "largest": {}, "shared": {}, "networks", "search": {}, "finetune": {} }`; what is left
 * out is that of the base. Recipes are those of `rivulet train`.
 * @throws RivuletError RV5001
 */
export function parseEffort(bytes: Uint8Array, origin: string): Effort {
  const json = parseJsonObject(bytes, DIALECT, origin);
  requireKnown(json, FIELDS);
  const name = json.has('base') ? json.text('base') : 'standard';
  if (!isEffort(name)) json.refuse('base', `one of ${Object.keys(EFFORTS).join(', ')} belongs here`);
  const base: Effort = EFFORTS[name as EffortName];
  const recipe = (key: string, standard: Recipe): Recipe =>
    json.has(key) ? recipeIn(json.object(key), standard) : standard;
  const largest = recipe('largest', base.supernet.largest);
  const shared = recipe('shared', base.supernet.shared);
  if (largest.seed !== shared.seed || largest.heldOut !== shared.heldOut) {
    fail('RV5001', 'both trainings must hold out the same items: "seed" and "heldOut" must be equal', {
      origin,
    });
  }
  if (shared.heldOut === 0) {
    fail('RV5001', 'nothing is held out to judge networks by', {
      origin,
      hint: 'set "heldOut", such as 0.1',
    });
  }
  return {
    items: itemsIn(json, base.items),
    supernet: {
      largest,
      shared,
      networks: json.has('networks') ? json.integer('networks', 1, 64) : base.supernet.networks,
    },
    search: json.has('search') ? settingsIn(json.object('search'), base.search) : base.search,
    finetune: recipe('finetune', base.finetune),
  };
}

function itemsIn(json: JsonObject, standard: number | null): number | null {
  if (!json.has('items')) return standard;
  return json.isNull('items') ? null : json.integer('items', 2, 1e9);
}

function settingsIn(json: JsonObject, standard: Settings): Settings {
  requireKnown(json, standard);
  const whole = (key: 'population' | 'iterations' | 'parents' | 'seed', lowest: number): number =>
    json.has(key) ? json.integer(key, lowest, 1e9) : standard[key];
  const mutation = json.has('mutation') ? json.number('mutation') : standard.mutation;
  if (!(mutation > 0 && mutation <= 1)) json.refuse('mutation', 'a probability belongs here');
  const strategy = json.has('strategy') ? json.text('strategy') : standard.strategy;
  if (strategy !== 'evolution' && strategy !== 'random') {
    return json.refuse('strategy', '"evolution" or "random" belongs here');
  }
  return {
    strategy,
    population: whole('population', 1),
    iterations: whole('iterations', 0),
    parents: whole('parents', 1),
    mutation,
    seed: whole('seed', 0),
  };
}
