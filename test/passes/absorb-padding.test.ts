import { describe, expect, it } from 'vitest';
import type { NodeAttributes, OpName } from '../../src/ir/attributes.ts';
import type { Graph } from '../../src/ir/types.ts';
import { bias, int8, weights } from '../../src/ops/case.ts';
import { absorbPadding } from '../../src/passes/absorb-padding.ts';
import { CONVOLUTION, expectRewritten, expectUntouched, GraphSketch, POOL } from './graphs.ts';

const ZERO = -7;
const X = int8([1, 4, 5, 2], 0.05, ZERO);
type Pad = NodeAttributes['pad'];
const ROWS_AND_COLUMNS: Pad = { before: [0, 1, 2, 0], after: [0, 2, 1, 0], value: ZERO };

/** x -> pad -> one reader for each of `readers`; the pad's result is an output too if `kept`. */
function padded(pad: Pad, readers: readonly OpName[], kept = false, type = X): Graph {
  const g = new GraphSketch();
  const shape = type.shape.map((size, d) => pad.before[d]! + size + pad.after[d]!);
  const p = g.node('pad', pad, [g.input(type)], { ...type, shape });
  const [batch, height, width, channels] = shape as [number, number, number, number];
  const y = int8([batch, height - 1, width - 1, 3], 0.1, 4);
  const outputs = readers.map((op) => {
    if (op === 'max_pool2d')
      return g.node(op, POOL, [p], { ...type, shape: [...y.shape.slice(0, 3), channels] });
    if (op === 'depthwise_conv2d') {
      const out = int8([...y.shape.slice(0, 3), channels], 0.1, 4);
      return g.node(op, CONVOLUTION, [p, g.constant(weights([1, 2, 2, channels], 3, 1)), null], out);
    }
    const w = g.constant(weights([3, 2, 2, channels], 0, 2));
    return g.node('conv2d', { ...CONVOLUTION, padding: [0, 0, 0, 0] }, [p, w, g.constant(bias(3, 3))], y);
  });
  return g.build(...outputs, ...(kept ? [p] : []));
}

describe('absorb-padding', () => {
  it('gives the pad to every convolution that reads it', () => {
    const graph = padded(ROWS_AND_COLUMNS, ['conv2d', 'depthwise_conv2d']);
    const result = expectRewritten(absorbPadding, graph, ['conv2d', 'depthwise_conv2d']);
    expect(result.nodes.map(({ attrs }) => attrs)).toMatchObject([
      { padding: [1, 2, 2, 1] },
      { padding: [1, 2, 2, 1] },
    ]);
  });

  it('adds to padding that is there', () => {
    const g = new GraphSketch();
    const p = g.node('pad', { before: [0, 1, 0, 0], after: [0, 0, 2, 0], value: ZERO }, [g.input(X)], {
      ...X,
      shape: [1, 5, 7, 2],
    });
    const w = g.constant(weights([1, 3, 3, 2], 0, 1));
    const y = g.node('conv2d', { ...CONVOLUTION, padding: [1, 0, 0, 1] }, [p, w, null], int8([1, 4, 6, 1]));
    const result = expectRewritten(absorbPadding, g.build(y), ['conv2d']);
    expect(result.nodes[0]!.attrs).toMatchObject({ padding: [2, 0, 0, 3] });
  });

  const REFUSED: Readonly<Record<string, () => Graph>> = {
    'a value other than the zero point': () => padded({ ...ROWS_AND_COLUMNS, value: ZERO + 1 }, ['conv2d']),
    'padding of channels': () => padded({ ...ROWS_AND_COLUMNS, after: [0, 2, 1, 1] }, ['conv2d']),
    'padding before the channels': () => padded({ ...ROWS_AND_COLUMNS, before: [0, 1, 2, 1] }, ['conv2d']),
    'padding behind the batch': () => padded({ ...ROWS_AND_COLUMNS, after: [1, 2, 1, 0] }, ['conv2d']),
    'padding of the batch': () => padded({ ...ROWS_AND_COLUMNS, before: [1, 1, 2, 0] }, ['conv2d']),
    'a pad that is an output as well': () => padded(ROWS_AND_COLUMNS, ['conv2d'], true),
    'a reader that pads differently': () => padded(ROWS_AND_COLUMNS, ['conv2d', 'max_pool2d']),
    'a pad that nobody reads': () => padded(ROWS_AND_COLUMNS, [], true),
  };
  it.each(Object.entries(REFUSED))('leaves %s', (_, graph) => expectUntouched(absorbPadding, graph()));
});
