/** Models over time, frame by frame: the firmware's kernels as WebAssembly, and the definition to hold them against. */
import { fail } from '../core/diagnostics.ts';
import type { Graph } from '../ir/types.ts';
import type { Plan } from '../plan/plan.ts';
import { framePort, type Program, type Sliding } from '../program/types.ts';
import { runReference } from './reference.ts';
import { WasmExecutor } from './wasm.ts';

/** Whether the frame that makes `pushed` of them completes a window. */
export function completesWindow({ windowFrames, hopFrames }: Sliding, pushed: number): boolean {
  return pushed >= windowFrames && (pushed - windowFrames) % hopFrames === 0;
}

/** A stream of frames through a program that was compiled over time. */
export class FrameStream {
  private readonly executor: WasmExecutor;
  private readonly sliding: Sliding;
  private readonly frameBytes: number;
  private readonly hop: Uint8Array;
  private pushed = 0;

  /** @throws RivuletError RV3001 if the program is one of single inferences */
  static async open(program: Program, plan: Plan): Promise<FrameStream> {
    const { sliding } = program;
    if (sliding === undefined) {
      return fail('RV3001', 'frames can be pushed only into a model that is compiled over time', {
        origin: program.name,
        hint: "compile it with streamAxis: 'time'",
      });
    }
    return new FrameStream(await WasmExecutor.create(program, plan), program, sliding);
  }

  private constructor(executor: WasmExecutor, program: Program, sliding: Sliding) {
    this.executor = executor;
    this.sliding = sliding;
    this.frameBytes = framePort(program).bytes;
    this.hop = new Uint8Array(program.inputs[0]!.bytes);
  }

  /**
   * Takes the next frame: raw bytes, [width][channels].
   * @returns raw bytes of each output for the window that the frame completes; null if it completes none
   * @throws RivuletError RV3002 if the frame has the wrong length
   */
  push(frame: Uint8Array): Uint8Array[] | null {
    const { windowFrames, hopFrames } = this.sliding;
    requireFrame(frame, this.frameBytes);
    this.pushed += 1;
    // Hops end with the last frame of a window, so the first may be short.
    const place = (((this.pushed - 1 - windowFrames) % hopFrames) + hopFrames) % hopFrames;
    this.hop.set(frame, place * this.frameBytes);
    if (place < hopFrames - 1) return null;
    const outputs = this.executor.run([this.hop]);
    return completesWindow(this.sliding, this.pushed) ? outputs : null;
  }
}

/** The same by definition: every window from scratch. One entry a frame, null where no window ends. */
export function referenceStream(
  graph: Graph,
  sliding: Sliding,
  frames: readonly Uint8Array[],
): (Uint8Array[] | null)[] {
  return frames.map((_, i) => {
    if (!completesWindow(sliding, i + 1)) return null;
    const window = frames.slice(i + 1 - sliding.windowFrames, i + 1);
    return runReference(graph, [joined(window)]);
  });
}

function requireFrame(frame: Uint8Array, bytes: number): void {
  if (frame.length !== bytes) fail('RV3002', `a frame of ${frame.length} bytes, the model takes ${bytes}`);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
