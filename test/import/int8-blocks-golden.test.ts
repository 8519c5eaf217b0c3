/** The backbones against sums of every activation that another implementation made. */
import { describe, expect, it } from 'vitest';
import { importBlocks } from '../../src/import/int8-blocks.ts';
import { elementCount, requireValue } from '../../src/ir/types.ts';
import {
  BACKBONES,
  backboneFiles,
  evaluateHalfEven,
  fileScales,
  goldenInput,
  goldenSums,
  HAS_BACKBONES,
} from '../support/blocks-models.ts';

const sumOf = (data: Int8Array) => data.reduce((sum, q) => sum + q, 0);

describe.runIf(HAS_BACKBONES).each(HAS_BACKBONES ? BACKBONES : [])('%s', (name) => {
  const files = backboneFiles(name);
  const graph = importBlocks(files, `${name}.json`);
  const input = goldenInput(elementCount(requireValue(graph, graph.inputs[0]!).shape));
  const activations = evaluateHalfEven(graph, input, fileScales(files));

  it('has the golden sums in every activation', () => {
    const golden = goldenSums(name);
    const sums = Object.fromEntries([...activations].map(([id, data]) => [id, sumOf(data)]));
    expect(sums).toEqual(golden.tensor_sums);
  });

  it('has the golden logits', () => {
    const golden = goldenSums(name);
    const logits = activations.get('logits')!;
    expect([...logits.subarray(0, 10)]).toEqual(golden.logits_first10);
    expect(sumOf(logits)).toBe(golden.logits_sum);
    expect(logits.indexOf(Math.max(...logits))).toBe(golden.argmax);
  });
});
