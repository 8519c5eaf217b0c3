/** Which functions a linked firmware contains and how large each is, from the linker's map. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Firmware } from '../../src/run/firmware.ts';

export interface CodeSections {
  /** Bytes by function, without the model's prefix: the model's own functions. */
  readonly own: ReadonlyMap<string, number>;
  /** Bytes by function of the runtime's headers; specialised copies that a compiler makes are counted with it. */
  readonly runtime: ReadonlyMap<string, number>;
  /** Bytes by member of a library archive, e.g. `libgcc.a(_divsi3.o)`. */
  readonly library: ReadonlyMap<string, number>;
  /** Bytes between the sections, for alignment. */
  readonly fill: number;
}

export async function codeSections({ folder, name }: Firmware): Promise<CodeSections> {
  const map = await readFile(join(folder, 'firmware.map'), 'utf8');
  const text = /^\.text\s+0x[\s\S]*?(?=^\.\w)/m.exec(
    map.slice(map.indexOf('Linker script and memory map')),
  )![0];
  const own = new Map<string, number>();
  const runtime = new Map<string, number>();
  const library = new Map<string, number>();
  let fill = 0;
  for (const [, section, digits, file] of text.matchAll(
    /^ (\.text\S*|\*fill\*)\s+0x[0-9a-f]+\s+0x([0-9a-f]+)(?: (.+))?$/gm,
  )) {
    const bytes = Number.parseInt(digits!, 16);
    if (section === '*fill*') fill += bytes;
    else if (file!.includes('.a(')) add(library, file!.replace(/^.*[/\\]/, ''), bytes);
    else if (section!.startsWith('.text.rv_')) add(runtime, section!.split('.')[2]!, bytes);
    else if (bytes > 0) add(own, section!.replace(`.text.${name}_`, ''), bytes);
  }
  return { own, runtime, library, fill };
}

function add(sizes: Map<string, number>, key: string, bytes: number): void {
  if (bytes > 0) sizes.set(key, (sizes.get(key) ?? 0) + bytes);
}
