/**
 * What is known about networks, a line each, in a file to which lines are only ever added: whoever is killed loses at most
 * the line that was being written, and a search that is repeated finds its answers here.
 */
import { appendFileSync, closeSync, ftruncateSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fail } from '../core/diagnostics.ts';
import type { Batch, Json, Kind, Workers } from '../workers/workers.ts';

interface Line {
  /** Of the kind of work. */
  readonly kind: string;
  /** Of the network. */
  readonly key: string;
  readonly result: Json;
}

export class Ledger {
  private readonly file: number;
  private readonly known = new Map<string, Json>();

  /**
   * @param identity of everything that results depend on beside the network
   * @throws RivuletError RV6004 if the file belongs to another search or is damaged, RV3005 if it cannot be written
   */
  constructor(path: string, identity: string) {
    let text = '';
    try {
      mkdirSync(dirname(path), { recursive: true });
      this.file = openSync(path, 'a+');
      text = readFileSync(path, 'utf8');
    } catch (error) {
      fail('RV3005', (error as Error).message, { origin: path });
    }
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    // The line that was being written when the search was killed.
    if (whole.length < text.length) ftruncateSync(this.file, Buffer.byteLength(whole));
    const [head, ...lines] = whole.split('\n').slice(0, -1);
    if (head === undefined) this.append({ identity });
    else if (head !== JSON.stringify({ identity })) {
      const hint = 'name another folder, or remove the file';
      fail('RV6004', 'the file keeps networks of another search', { origin: path, hint });
    }
    lines.forEach((line, i) => {
      const { kind, key, result } = parseLine(line, `${path}:${i + 2}`);
      this.known.set(`${kind} ${key}`, result);
    });
  }

  /** How many results there are. */
  get size(): number {
    return this.known.size;
  }

  /**
   * The results of jobs: those that are known, and those of the others by `workers`, kept as they come.
   * @param jobs with keys that are all different
   * @param native see `Batch`
   */
  async map<Arguments extends Json, Result extends Json>(
    workers: Workers,
    kind: Kind<Arguments, Result>,
    jobs: readonly { readonly key: string; readonly job: Arguments }[],
    { blobs, native = false }: Pick<Batch<Arguments, Result>, 'blobs' | 'native'>,
    onResult: () => void = () => {},
  ): Promise<Result[]> {
    const missing = jobs.filter(({ key }) => !this.known.has(`${kind.name} ${key}`));
    for (let i = missing.length; i < jobs.length; ++i) onResult();
    if (missing.length > 0) {
      await workers.map({
        kind,
        blobs,
        native,
        jobs: missing.map(({ job }) => job),
        onResult: (result, i) => {
          const { key } = missing[i]!;
          this.known.set(`${kind.name} ${key}`, result);
          this.append({ kind: kind.name, key, result });
          onResult();
        },
      });
    }
    return jobs.map(({ key }) => this.known.get(`${kind.name} ${key}`) as Result);
  }

  close(): void {
    closeSync(this.file);
  }

  private append(line: Json): void {
    appendFileSync(this.file, `${JSON.stringify(line)}\n`);
  }
}

function parseLine(text: string, origin: string): Line {
  try {
    const line = JSON.parse(text) as Line;
    if (typeof line.kind === 'string' && typeof line.key === 'string' && line.result !== undefined)
      return line;
  } catch {
    // Said below.
  }
  return fail('RV6004', 'the line is damaged', { origin, hint: 'remove it' });
}
