/** A worker for the test of the pool: squares numbers, the small ones late, and refuses negative ones. */
import { setTimeout } from 'node:timers/promises';
import { threadId } from 'node:worker_threads';

export default async function square(number) {
  if (number < 0) throw new Error(`${number} is negative`);
  await setTimeout(200 / (number + 1));
  return { square: number * number, thread: threadId };
}
