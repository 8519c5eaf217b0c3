import type { States } from './evaluation.ts';

/** Averages of parameters over time, each step leaving a share of them; of a share of 0 there are none. */
export class Averages {
  private readonly share: number;
  private readonly entries: readonly { readonly name: string; now: Float32Array; average: Float32Array }[];

  /** @param parameters in place: they are looked at after every step */
  constructor(parameters: States, share: number) {
    this.share = share;
    const followed = share > 0 ? [...parameters] : [];
    this.entries = followed.map(([name, now]) => ({ name, now, average: now.slice() }));
  }

  /** To be called after each step, counted from 0; the first ones leave less of what was before. */
  follow(step: number): void {
    const rate = 1 - Math.min(this.share, (step + 1) / (step + 10));
    for (const { now, average } of this.entries) {
      for (let i = 0; i < now.length; ++i) average[i]! += rate * (now[i]! - average[i]!);
    }
  }

  save(): Map<string, Float32Array> {
    return new Map(this.entries.map(({ name, average }) => [name, average.slice()]));
  }

  /** @param averages by name, all of them */
  restore(averages: States): void {
    for (const { name, average } of this.entries) average.set(averages.get(name)!);
  }
}
