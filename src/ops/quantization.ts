/** Quantisation facts that many operators share. */
import { quantizeMultiplier } from '../core/fixedpoint.ts';
import type { TensorType } from '../ir/types.ts';
import type { KernelConstant, Problem } from './definition.ts';

/** Scale of a per-tensor quantised type (a float32 value). */
export function scaleOf(type: TensorType): number {
  return type.quantization!.scales[0]!;
}

export function zeroPointOf(type: TensorType): number {
  return type.quantization!.zeroPoints[0]!;
}

export function isPerTensor(type: TensorType): boolean {
  return type.quantization !== undefined && type.quantization.scales.length === 1;
}

export function sameQuantization(a: TensorType, b: TensorType): boolean {
  return isPerTensor(a) && isPerTensor(b) && scaleOf(a) === scaleOf(b) && zeroPointOf(a) === zeroPointOf(b);
}

/** Lowest and highest raw value of an 8-bit type. */
export function rangeOf(dtype: 'int8' | 'uint8'): readonly [number, number] {
  return dtype === 'int8' ? [-128, 127] : [0, 255];
}

/** The problem with an activation that should be int8 with one scale and zero point. */
export function int8Problem(type: TensorType, role: string): Problem | undefined {
  if (type.dtype !== 'int8') {
    return {
      code: 'RV2003',
      message: `${role} is ${type.dtype}, not int8`,
      hint: 'convert the model with full integer quantisation (int8 activations and weights); "rivulet quantize" does',
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
  if (!(scale > 0) || !Number.isFinite(scale) || zeroPoint < -128 || zeroPoint > 127) {
    return { code: 'RV2004', message: `${role} has scale ${scale} and zero point ${zeroPoint}` };
  }
  return undefined;
}

/** The problem with real multipliers that no int32 result can use (TFLite has none above 2^30 either). */
export function multiplierProblem(realMultipliers: readonly number[]): Problem | undefined {
  const bad = realMultipliers.find((m) => !Number.isFinite(m) || Math.abs(m) > 2 ** 30);
  if (bad === undefined) return undefined;
  return { code: 'RV2004', message: `the scales of input, weights and output give a multiplier of ${bad}` };
}

/** The first problem of a list. */
export function firstProblem(...problems: readonly (Problem | undefined)[]): Problem | undefined {
  return problems.find((problem) => problem !== undefined);
}

/** Per-channel multipliers and shifts as the constants of a kernel. */
export function multiplierConstants(realMultipliers: readonly number[]): {
  multiplier: KernelConstant;
  shift: KernelConstant;
} {
  const quantized = realMultipliers.map(quantizeMultiplier);
  return {
    multiplier: { role: 'table', data: Int32Array.from(quantized, (m) => m.multiplier) },
    shift: { role: 'table', data: Int8Array.from(quantized, (m) => m.shift) },
  };
}
