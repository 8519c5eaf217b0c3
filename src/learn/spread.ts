/** A value repeated to the shape of the result of an operator that broadcasts it. */
import type { GraphBuilder } from '../ir/builder.ts';
import { type Origin, type Shape, typeOf, type ValueId } from '../ir/types.ts';
import { broadcastStrides, sameShape, stridedOffsets } from '../ops/strided.ts';

/** @returns a value of shape `seen`, which has as many elements as `shape`, that of the result */
export function spread(
  builder: GraphBuilder,
  id: ValueId,
  shape: Shape,
  seen: Shape,
  origin: Origin,
): ValueId {
  const value = builder.value(id);
  const type = typeOf(value);
  if (sameShape(value.shape, seen)) return id;
  if (value.role === 'const') {
    const offsets = stridedOffsets(shape, broadcastStrides(value.shape, shape));
    const data = Int8Array.from(offsets, (at) => Number(value.data![at]));
    return builder.constant(`${value.name}/spread`, { ...type, shape: seen }, data);
  }
  const sizes = [...new Array(shape.length - value.shape.length).fill(1), ...value.shape] as number[];
  let spreadOut = id;
  const reshaped = (to: Shape): ValueId => {
    if (sameShape(builder.value(spreadOut).shape, to)) return spreadOut;
    const made = builder.activation(`${value.name}/reshaped`, { ...type, shape: to });
    builder.node('reshape', {}, [spreadOut], [made], origin);
    return made;
  };
  for (const [d, size] of shape.entries()) {
    if (sizes[d] === size) continue;
    const [outer, inner] = [sizes.slice(0, d), sizes.slice(d + 1)].map((part) =>
      part.reduce((a, b) => a * b, 1),
    ) as [number, number];
    // Every one of `size` columns is nearest to the only one.
    const column = reshaped([outer, 1, 1, inner]);
    spreadOut = builder.activation(`${value.name}/spread`, { ...type, shape: [outer, 1, size, inner] });
    const attrs = { alignCorners: false, halfPixelCenters: false };
    builder.node('resize_nearest', attrs, [column], [spreadOut], origin);
    sizes[d] = size;
  }
  return reshaped(seen);
}
