/** What a training step needs at least, known long before it is placed. */
import { inferenceCalls, type Program } from '../program/types.ts';
import { CutSearch } from '../schedule/cuts.ts';
import { pushRows } from '../schedule/push.ts';

/**
 * The most bytes live with the best cuts of the inference, rows pushed, and in any call behind it. Placement comes within
 * some percent of it and takes a hundred times as long.
 * @param lowered of `lowerTraining`
 */
export function streamedLiveBytes(lowered: Program): number {
  const pushed = pushRows(lowered);
  const search = new CutSearch(pushed);
  const first = inferenceCalls(pushed);
  const behind = pushed.calls.slice(first).map(({ index }) => search.cost(index, index));
  return Math.max(search.best().liveBytes, ...behind);
}
