import { describe, expect, it } from 'vitest';
import { RivuletError } from '../../src/core/diagnostics.ts';
import { parseDescription } from '../../src/train/description.ts';
import { DEFAULT_RECIPE, parseRecipe, rateAt } from '../../src/train/recipe.ts';

const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof RivuletError) return `${error.diagnostics[0]!.code} ${error.diagnostics[0]!.origin}`;
  }
  return 'nothing thrown';
}

describe('a recipe', () => {
  it('is the standard one where it says nothing', () => {
    expect(parseRecipe(bytes({}), 'r.json')).toEqual(DEFAULT_RECIPE);
    expect(parseRecipe(bytes(DEFAULT_RECIPE), 'r.json')).toEqual(DEFAULT_RECIPE);
    expect(parseRecipe(bytes({ epochs: 3, augmentation: { flip: false } }), 'r.json')).toEqual({
      ...DEFAULT_RECIPE,
      epochs: 3,
      augmentation: { ...DEFAULT_RECIPE.augmentation, flip: false },
    });
    const { augmentation } = parseRecipe(bytes({ augmentation: { sounds: { noise: 0.25 } } }), 'r.json');
    expect(augmentation.sounds).toEqual({ ...DEFAULT_RECIPE.augmentation.sounds, noise: 0.25 });
  });

  it.each([
    [{ epoch: 3 }, 'epoch'],
    [{ epochs: 0 }, 'epochs'],
    [{ rate: -1 }, 'rate'],
    [{ momentum: 1 }, 'momentum'],
    [{ smoothing: '0' }, 'smoothing'],
    [{ augmentation: { flip: 1 } }, 'augmentation.flip'],
    [{ augmentation: { crop: 1 } }, 'augmentation.crop'],
    [{ augmentation: { contrast: 2 } }, 'augmentation.contrast'],
    [{ augmentation: { sounds: { gain: -1 } } }, 'augmentation.sounds.gain'],
    [{ augmentation: { sounds: { echo: 1 } } }, 'augmentation.sounds.echo'],
  ])('with %j is refused', (recipe, place) => {
    expect(codeOf(() => parseRecipe(bytes(recipe), 'r.json'))).toBe(`RV5001 r.json: ${place}`);
  });

  it('lets the rate rise, then fall to nothing', () => {
    const recipe = { ...DEFAULT_RECIPE, epochs: 4, rate: 0.5, warmUp: 1 };
    const rates = Array.from({ length: 40 }, (_, step) => rateAt(recipe, step, 10));
    expect(rates[0]).toBeCloseTo(0.5 / 11);
    expect(Math.max(...rates)).toBe(rates[10]);
    expect(rates[10]).toBe(0.5);
    expect(rates[25]).toBeCloseTo(0.25);
    expect(rates[39]).toBeLessThan(0.002);
    expect(rates[39]).toBeGreaterThan(0);
  });
});

describe('a description', () => {
  const network = {
    name: 'n',
    input: [8, 8, 3],
    classes: 4,
    blocks: [
      { kind: 'conv', channels: 8, stride: 2 },
      { kind: 'inverted', kernel: 5, expand: 3, channels: 16 },
      { kind: 'inverted', middle: 20, channels: 16 },
      { kind: 'residual', channels: 24, stride: 2 },
    ],
  };

  it('is read with what follows from the blocks before', () => {
    expect(parseDescription(bytes(network), 'n.json').blocks).toEqual([
      { kind: 'conv', kernel: 3, channels: 8, stride: 2 },
      { kind: 'inverted', kernel: 5, middle: 24, channels: 16, stride: 1 },
      { kind: 'inverted', kernel: 3, middle: 20, channels: 16, stride: 1 },
      { kind: 'residual', channels: 24, stride: 2 },
    ]);
  });

  it.each([
    [{ ...network, blocks: [] }, 'blocks'],
    [{ ...network, input: [8, 8] }, 'input'],
    [{ ...network, blocks: [{ kind: 'pool', channels: 8 }] }, 'blocks[0].kind'],
    [{ ...network, blocks: [{ kind: 'conv', kernel: 2, channels: 8 }] }, 'blocks[0].kernel'],
    [{ ...network, blocks: [{ kind: 'inverted', expand: -1, channels: 8 }] }, 'blocks[0].expand'],
  ])('that makes no sense is refused: %#', (description, place) => {
    expect(codeOf(() => parseDescription(bytes(description), 'n.json'))).toBe(`RV5004 n.json: ${place}`);
  });
});
