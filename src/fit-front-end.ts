/** Whether the features of a front-end are what a network's input takes, and how they become its values. */
import { type FrontEnd, frameWidth } from './audio/front-end.ts';
import { type FeatureQuantization, quantizationOf, tablesOf } from './audio/tables.ts';
import { fail } from './core/diagnostics.ts';
import type { EmittedFrontEnd } from './emit/front-end.ts';
import { framePort, type Port, type Program, pushCall } from './program/types.ts';

const ORIGIN = '--frontend';

/**
 * The front-end for the one input of a program: `frames` rows (over time, a window of them) of as many values as a frame has.
 * @throws RivuletError RV4006 if it does not fit
 */
export function fitFrontEnd(frontEnd: FrontEnd, program: Program): EmittedFrontEnd {
  const { inputs, sliding } = program;
  const [input, ...others] = inputs;
  if (input === undefined || others.length > 0) {
    return fail('RV4006', `a front-end fills one input, the network has ${inputs.length}`, {
      origin: ORIGIN,
    });
  }
  const width = frameWidth(frontEnd);
  const shape = sliding === undefined ? input.shape : [sliding.windowFrames, framePort(program).bytes];
  const sizes = (dims: readonly number[]): string => dims.filter((size) => size !== 1).join(', ');
  if (sizes(shape) !== sizes([frontEnd.frames, width])) {
    fail('RV4006', `${frontEnd.frames} frames of ${width} values for an input of [${shape.join(', ')}]`, {
      origin: ORIGIN,
      hint: 'the input has the frames along its rows, and the bands or coefficients along its columns',
    });
  }
  const { rowBytes } = pushCall(program)?.output ?? { rowBytes: width };
  if (sliding === undefined && rowBytes !== width) {
    fail('RV4006', `frames of ${width} values for a network that takes ${rowBytes} at a time`, {
      origin: ORIGIN,
      hint: 'its first layer needs all of them at once: use --input-mode resident',
    });
  }
  return { tables: tablesOf(frontEnd), quantization: quantizationFor(input) };
}

function quantizationFor({ dtype, quantization }: Port): FeatureQuantization {
  const [scale, zeroPoint] = [quantization?.scales[0], quantization?.zeroPoints[0]];
  if (dtype !== 'int8' || scale === undefined || zeroPoint === undefined) {
    return fail('RV4006', `the input is ${dtype}, not int8 with a scale`, { origin: ORIGIN });
  }
  return (
    quantizationOf(scale, zeroPoint) ??
    fail('RV4006', `features are natural logarithms, steps of ${scale} do not suit them`, { origin: ORIGIN })
  );
}
