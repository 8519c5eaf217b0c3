import { clamp } from '../../core/fixedpoint.ts';
import type { ReferenceView } from '../definition.ts';
import { forEachWindow } from '../pooling.ts';

/** The mean of the raw values inside the image. x [N, H, W, C], y [N, H', W', C]. */
export function averagePool2dReference(view: ReferenceView<'average_pool2d'>): void {
  const [lowest, highest] = view.attrs.clamp;
  forEachWindow(view, (values, out) => {
    const sum = values.reduce((total, value) => total + value, 0);
    view.outs[0]!.data[out] = clamp(averageOf(sum, values.length), lowest, highest);
  });
}

/** sum / count to nearest, halves away from zero. */
export function averageOf(sum: number, count: number): number {
  const half = Math.trunc(count / 2);
  return Math.trunc((sum > 0 ? sum + half : sum - half) / count);
}
