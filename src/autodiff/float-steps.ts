/** Small steps that rules on float32 share. */
import type { Shape, TensorType, Value, ValueId } from '../ir/types.ts';
import { UNBOUNDED } from '../ops/float.ts';
import { sameShape } from '../ops/strided.ts';
import type { Emitter } from './domain.ts';

export function float(shape: Shape): TensorType {
  return { shape, dtype: 'float32' };
}

/** `id`, of the given shape, times a number. */
export function scaled(emitter: Emitter, id: ValueId, shape: Shape, factor: number): ValueId {
  if (factor === 1) return id;
  const constant = emitter.constant(float([1]), Float32Array.of(factor));
  return emitter.emit('mul', { clamp: UNBOUNDED }, [id, constant], float(shape));
}

/** The gradient of an operand that was broadcast to `from`: summed over what was repeated. */
export function summedTo(emitter: Emitter, id: ValueId, from: Pick<Value, 'shape'>, shape: Shape): ValueId {
  return sameShape(from.shape, shape) ? id : emitter.emit('sum', {}, [id], float(shape));
}
