import { expect, it } from 'vitest';
import { EFFORTS, parseEffort } from '../../src/search/efforts.ts';

const read = (effort: object) => parseEffort(new TextEncoder().encode(JSON.stringify(effort)), 'effort.json');

it('takes from its base what a file leaves out', () => {
  expect(read({})).toEqual(EFFORTS.standard);
  expect(read({ base: 'small' })).toEqual(EFFORTS.small);
  const changed = read({
    base: 'small',
    items: null,
    networks: 3,
    shared: { epochs: 9, augmentation: { flip: false } },
    search: { seed: 5, strategy: 'random' },
  });
  const { small } = EFFORTS;
  expect(changed).toEqual({
    items: null,
    supernet: {
      ...small.supernet,
      networks: 3,
      shared: {
        ...small.supernet.shared,
        epochs: 9,
        augmentation: { ...small.supernet.shared.augmentation, flip: false },
      },
    },
    search: { ...small.search, seed: 5, strategy: 'random' },
    finetune: small.finetune,
  });
});

it.each([
  [{ base: 'huge' }, 'base'],
  [{ epochs: 1 }, 'epochs'],
  [{ search: { mutation: 2 } }, 'mutation'],
  [{ search: { strategy: 'luck' } }, 'strategy'],
  [{ largest: { seed: 9 } }, 'effort.json'],
  [{ largest: { heldOut: 0 }, shared: { heldOut: 0 } }, 'effort.json'],
])('refuses %j', (effort, place) => {
  expect(() => read(effort)).toThrow(new RegExp(`RV5001(.|\n)*${place}`));
});
