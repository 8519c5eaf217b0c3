/** Schemes: what is read, and what is said of those that are wrong. */
import { describe, expect, it } from 'vitest';
import { parseScheme } from '../../src/learn/scheme.ts';

describe('parseScheme', () => {
  it('fills in what is not said', () => {
    expect(parseScheme('{"biases": 2}', 's.json')).toMatchObject({
      ...{ biases: 2, weights: [], residualBits: 4, qas: true, momentum: 0, batch: 1 },
    });
  });

  it.each([
    ['not JSON', '{', /not JSON/],
    ['a list', '[]', /not an object/],
    ['an unknown field', '{"bias": 1}', /field "bias"/],
    ['a number of biases', '{"biases": -1}', /"biases" is -1/],
    ['a ratio', '{"weights": [{"layer": 1, "ratio": 2}]}', /ratio is 2/],
    ['a layer twice', '{"weights": [{"layer": 1, "ratio": 1}, {"layer": 1, "ratio": 1}]}', /listed twice/],
    ['channels', '{"weights": [{"layer": 1, "ratio": 1, "channels": [3, 1]}]}', /ascending/],
    ['classes', '{"classes": 1}', /"classes" is 1/],
    ['residual bits', '{"residualBits": 3}', /0, 4 or 8/],
    ['momentum', '{"momentum": 1}', /below 1/],
    ['batch', '{"batch": 0}', /"batch"/],
  ])('refuses %s', (_, text, message) => {
    expect(() => parseScheme(text, 's.json')).toThrow(message);
    expect(() => parseScheme(text, 's.json')).toThrow(/RV5001[\s\S]*s\.json/);
  });
});
