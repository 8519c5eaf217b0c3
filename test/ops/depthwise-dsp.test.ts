/** What the kernels of the DSP extension promise about memory. Their results: conformance, emitted and cores tests. */
import { expect, it } from 'vitest';
import { SOURCES } from '../../src/generated/sources.ts';
import { STACK_BYTES } from '../../src/ops/depthwise_conv2d/dsp.ts';

it.each([
  'rivulet_dsp_depthwise.h',
  'rivulet_dsp_expand.h',
])('%s has the stack that planes are planned for', (header) => {
  const words = /uint32_t \w+\[(\d+)\]/.exec(SOURCES[header]!)?.[1];
  expect(4 * Number(words)).toBe(STACK_BYTES);
});
