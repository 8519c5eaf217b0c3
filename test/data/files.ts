/** Data sets made on the spot, and what is wrong with them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { expect } from 'vitest';
import { type Diagnostic, RivuletError } from '../../src/core/diagnostics.ts';

/** A folder for the time of a test file. */
export class DataFolder {
  readonly root = mkdtempSync(join(tmpdir(), 'rivulet-data-'));

  path(name: string): string {
    return join(this.root, name);
  }

  write(name: string, content: Uint8Array | string): string {
    mkdirSync(dirname(this.path(name)), { recursive: true });
    writeFileSync(this.path(name), content);
    return this.path(name);
  }

  /** A picture of one colour; .png keeps it exactly, in as many bytes whatever the colour. */
  async picture(
    name: string,
    colour: readonly number[],
    size: readonly [number, number] = [4, 6],
  ): Promise<void> {
    const [r = 0, g = 0, b = 0] = colour;
    const create = { width: size[1], height: size[0], channels: 3 as const, background: { r, g, b } };
    const image = sharp({ create });
    this.write(
      name,
      await (name.endsWith('.png')
        ? image.png({ compressionLevel: 0 })
        : image.jpeg({ quality: 95 })
      ).toBuffer(),
    );
  }

  remove = (): void => rmSync(this.root, { recursive: true, force: true });
}

/** An IDX file; the sizes may lie about the data. */
export function idxFile(shape: readonly number[], data: Uint8Array, type = 0x08): Uint8Array {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.set([0, 0, type, shape.length]);
  for (const [i, size] of shape.entries()) header.writeUInt32BE(size, 4 + 4 * i);
  return Buffer.concat([header, data]);
}

/** What opening fails with. */
export async function problemOf(opening: Promise<{ close(): void }>): Promise<Diagnostic> {
  const error = await opening.then(
    (source) => {
      source.close();
      return undefined;
    },
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(RivuletError);
  const { diagnostics } = error as RivuletError;
  expect(diagnostics).toHaveLength(1);
  return diagnostics[0]!;
}
