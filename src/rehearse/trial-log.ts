/** Finished trials, one JSON line each, in the cache: an analysis that was stopped goes on where it was. */
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cachedFolder } from '../run/cache.ts';

interface Line {
  readonly trial: string;
  readonly accuracy: number;
}

export class TrialLog {
  private readonly file: string;
  private readonly known: ReadonlyMap<string, number>;

  /** @param key everything that decides about the outcome of a trial but for what it trains and its seed */
  static async open(key: string): Promise<TrialLog> {
    return new TrialLog(join(await cachedFolder(`trials-${key}`, async () => undefined), 'trials.jsonl'));
  }

  private constructor(file: string) {
    this.file = file;
    const text = read(file);
    // A process that was killed may have left half a line: it is ended, so that the next is whole, and ignored.
    if (text !== '' && !text.endsWith('\n')) appendFileSync(file, '\n');
    this.known = new Map(text.split('\n').flatMap(parseLine));
  }

  accuracy(trial: string): number | undefined {
    return this.known.get(trial);
  }

  add(trial: string, accuracy: number): void {
    appendFileSync(this.file, `${JSON.stringify({ trial, accuracy } satisfies Line)}\n`);
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function parseLine(text: string): [string, number][] {
  try {
    const { trial, accuracy } = JSON.parse(text) as Partial<Line>;
    return typeof trial === 'string' && typeof accuracy === 'number' ? [[trial, accuracy]] : [];
  } catch {
    return [];
  }
}
