/** Programs in whole-tensor form for the tests of schedules: tensors of rows, and calls that read windows of them. */
import type { BufferId, BufferRole, Program } from '../../src/program/types.ts';
import { type CallOptions, ProgramSketch, type Rows, upTo } from '../plan/programs.ts';

export interface Tensor {
  readonly buffer: BufferId;
  readonly rowBytes: number;
  readonly count: number;
}

export class Chain {
  private readonly sketch = new ProgramSketch();

  tensor(count: number, rowBytes: number, role?: BufferRole): Tensor {
    return { buffer: this.sketch.buffer(count * rowBytes, role), rowBytes, count };
  }

  input(count: number, rowBytes = 4): Tensor {
    return this.tensor(count, rowBytes, 'input');
  }

  /** out[y] from the rows y * stride - top ... + kernel - 1 of x; rows outside are absent. */
  window(x: Tensor, kernel: number, stride = 1, top = Math.floor((kernel - 1) / 2)): Tensor {
    const count = Math.max(1, Math.ceil(x.count / stride));
    const out = this.tensor(count, x.rowBytes);
    const slots = upTo(kernel).map((k): Rows => {
      const rows = upTo(count).map((y) => y * stride - top + k);
      return { ...x, rows: rows.map((row) => (row >= 0 && row < x.count ? row : -1)) };
    });
    this.call(slots, { ...out, rows: upTo(count) });
    return out;
  }

  /** out[y] from row y of both. */
  add(a: Tensor, b: Tensor): Tensor {
    const out = this.tensor(a.count, a.rowBytes);
    const rows = upTo(a.count);
    this.call(
      [
        { ...a, rows },
        { ...b, rows },
      ],
      { ...out, rows },
      { inPlace: [0, 1] },
    );
    return out;
  }

  /** out[y] from row floor(y / factor). */
  upsample(x: Tensor, factor: number): Tensor {
    const out = this.tensor(x.count * factor, x.rowBytes);
    const rows = upTo(out.count);
    this.call([{ ...x, rows: rows.map((y) => Math.floor(y / factor)) }], { ...out, rows });
    return out;
  }

  /** Row y of every source side by side: one call a source, each writes its columns. */
  columns(sources: readonly Tensor[]): Tensor {
    const pitch = sources.reduce((sum, { rowBytes }) => sum + rowBytes, 0);
    const out = this.tensor(sources[0]!.count, pitch);
    const rows = upTo(out.count);
    let offset = 0;
    for (const x of sources) {
      const { buffer } = out;
      this.call([{ ...x, rows }], { buffer, rowBytes: x.rowBytes, pitch, offset, rows });
      offset += x.rowBytes;
    }
    return out;
  }

  /** out[y] from the rows given. */
  pick(x: Tensor, rows: readonly number[]): Tensor {
    const out = this.tensor(rows.length, x.rowBytes);
    this.call([{ ...x, rows }], { ...out, rows: upTo(rows.length) });
    return out;
  }

  /** One row from all of x, which is read as a whole. */
  whole(x: Tensor): Tensor {
    const out = this.tensor(1, x.rowBytes);
    this.call([{ buffer: x.buffer, rowBytes: x.count * x.rowBytes, rows: [0] }], { ...out, rows: [0] });
    return out;
  }

  call(slots: readonly Rows[], output: Rows, options: CallOptions = {}): number {
    return this.sketch.call(slots, output, options);
  }

  finish(...outputs: readonly Tensor[]): Program {
    return this.sketch.finish(outputs.map(({ buffer }) => buffer));
  }
}
