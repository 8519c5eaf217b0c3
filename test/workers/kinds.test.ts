/** The registry of Rivulet's own kinds. */
import { expect, it } from 'vitest';
import KINDS from '../../src/workers/kinds.ts';

it.each(Object.entries(KINDS))('has %s under its name', async (name, load) => {
  expect((await load()).name).toBe(name);
});
