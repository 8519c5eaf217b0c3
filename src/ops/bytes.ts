/** Checks for operators on 8-bit tensors, int8 or uint8. */
import type { DType } from '../core/dtype.ts';
import type { Clamp } from '../ir/attributes.ts';
import type { TensorType } from '../ir/types.ts';
import type { Problem } from './definition.ts';
import { isPerTensor, rangeOf, sameQuantization, scaleOf, zeroPointOf } from './quantization.ts';

export type ByteType = 'int8' | 'uint8';

export function isByteType(dtype: DType): dtype is ByteType {
  return dtype === 'int8' || dtype === 'uint8';
}

/** Lowest and highest raw value of a tensor that was checked to have an 8-bit type. */
export function byteRange(type: TensorType): readonly [lowest: number, highest: number] {
  return rangeOf(type.dtype as ByteType);
}

/** The problem with a tensor that should be int8 or uint8 with one scale and a zero point in range. */
export function byteProblem(type: TensorType, role: string): Problem | undefined {
  if (!isByteType(type.dtype)) {
    return {
      code: 'RV2003',
      message: `${role} is ${type.dtype}, not int8 or uint8`,
      hint: 'convert the model with full integer quantisation',
    };
  }
  if (!isPerTensor(type)) {
    return {
      code: 'RV2004',
      message: `${role} has ${type.quantization === undefined ? 'no scale' : 'more than one scale'}`,
      hint: 'activations need one scale and one zero point; calibrate the model when converting it',
    };
  }
  const [scale, zeroPoint] = [scaleOf(type), zeroPointOf(type)];
  const [lowest, highest] = byteRange(type);
  if (!(scale > 0) || !Number.isFinite(scale) || !(zeroPoint >= lowest && zeroPoint <= highest)) {
    return { code: 'RV2004', message: `${role} has scale ${scale} and zero point ${zeroPoint}` };
  }
  return undefined;
}

/** The problem with an operator that moves raw bytes from `x` to `y`: both must mean the same by them. */
export function movedBytesProblem(x: TensorType, y: TensorType): Problem | undefined {
  if (!isByteType(x.dtype) || x.dtype !== y.dtype) {
    return {
      code: 'RV2003',
      message: `the input is ${x.dtype} and the output is ${y.dtype}; both must be int8, or both uint8`,
      hint: 'convert the model with full integer quantisation',
    };
  }
  const bothRaw = x.quantization === undefined && y.quantization === undefined;
  return bothRaw ? undefined : sameQuantizationProblem(x, y, 'the input', 'the output');
}

export function sameQuantizationProblem(
  a: TensorType,
  b: TensorType,
  roleA: string,
  roleB: string,
): Problem | undefined {
  if (sameQuantization(a, b)) return undefined;
  return {
    code: 'RV2004',
    message: `${roleA} (${describeQuantization(a)}) and ${roleB} (${describeQuantization(b)}) are quantised differently`,
    hint: 'the operator copies or compares raw values and needs the same scale and zero point on both sides',
  };
}

/** The problem with raw bounds of an int8 output. */
export function clampProblem([lowest, highest]: Clamp): Problem | undefined {
  if (lowest >= -128 && lowest <= highest && highest <= 127) return undefined;
  return { code: 'RV2002', message: `the output cannot be clamped to [${lowest}, ${highest}]` };
}

function describeQuantization(type: TensorType): string {
  if (!isPerTensor(type)) return type.quantization === undefined ? 'no scale' : 'several scales';
  return `scale ${scaleOf(type)}, zero point ${zeroPointOf(type)}`;
}
