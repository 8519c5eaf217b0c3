import { int8, type OpCase, opCase } from '../case.ts';

function gather(name: string, shape: readonly number[], channels: readonly number[]): OpCase {
  return opCase(
    name,
    'gather_channels',
    { channels },
    [int8(shape, 0.05, 7)],
    int8(shape.with(3, channels.length), 0.05, 7),
  );
}

export const cases: readonly OpCase[] = [
  gather('some, ascending', [1, 3, 4, 9], [0, 2, 3, 7]),
  gather('the last one of a single pixel', [1, 1, 1, 6], [5]),
  gather('all', [1, 2, 3, 4], [0, 1, 2, 3]),
  gather('not in order, one twice, batch 2', [2, 3, 5, 4], [3, 0, 3]),
];
