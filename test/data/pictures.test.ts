import { spawnSync } from 'node:child_process';
import { existsSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countClasses } from '../../src/data/dataset.ts';
import { openData } from '../../src/data/open.ts';
import { DataFolder, problemOf } from './files.ts';

const folder = new DataFolder();
afterAll(folder.remove);

const RED = [255, 0, 0];
const BLUE = [0, 0, 255];

describe('a folder of pictures', () => {
  beforeAll(async () => {
    await folder.picture('set/train/blue/a.png', BLUE);
    await folder.picture('set/train/blue/b.JPG', BLUE);
    await folder.picture('set/train/red/a.png', RED);
    await folder.picture('set/test/red/z.png', RED, [4, 6]);
    folder.write('set/train/.hidden/x.png', 'not looked at');
  });

  it('has the classes, labels and pixels of its files, sorted', async () => {
    const { train, test, warnings, close } = await openData(folder.path('set'));
    expect(train).toMatchObject({ classes: ['blue', 'red'], shape: [4, 6, 3], kind: 'pixels', length: 3 });
    expect([...train.labels]).toEqual([0, 0, 1]);
    const pixels = (colour: readonly number[]) => Array.from({ length: 24 }, () => colour).flat();
    expect([...train.item(0).values]).toEqual(pixels(BLUE));
    expect(train.item(1).values.every((p, i) => Math.abs(p - BLUE[i % 3]!) < 6)).toBe(true);
    expect([...train.item(2).values]).toEqual(pixels(RED));
    expect(test).toMatchObject({ length: 1, classes: ['blue', 'red'] });
    expect(test!.item(0)).toEqual({ values: Uint8Array.from(pixels(RED)), label: 1 });
    expect(warnings).toEqual([]);
    expect(() => train.item(3)).toThrow(RangeError);
    expect(() => train.item(-1)).toThrow(RangeError);
    close();
  });

  it('is stretched and made grey on demand', async () => {
    const { train, close } = await openData(folder.path('set'), { size: [8, 3], channels: 1 });
    expect(train.shape).toEqual([8, 3, 1]);
    expect(new Set(train.item(2).values).size).toBe(1);
    expect(train.item(2).values[0]).not.toBe(train.item(0).values[0]);
    close();
  });

  it('is decoded once, and again when a file changes', async () => {
    const decoded = async () => {
      let calls = 0;
      const { train, close } = await openData(folder.path('set'), {
        size: [5, 5],
        progress: () => {
          calls += 1;
        },
      });
      const [first] = train.item(2).values;
      close();
      return { decoded: calls > 0, first };
    };
    expect(await decoded()).toEqual({ decoded: true, first: 255 });
    expect(await decoded()).toEqual({ decoded: false, first: 255 });
    await folder.picture('set/train/red/a.png', [7, 200, 13]);
    expect(await decoded()).toEqual({ decoded: true, first: 7 });
    await folder.picture('set/train/red/a.png', RED);
  });

  it('leaves out what cannot be read, and says so', async () => {
    await folder.picture('holes/a/1.png', RED);
    folder.write('holes/a/2.jpg', 'no picture');
    await folder.picture('holes/a/3.png', BLUE);
    await folder.picture('holes/b/1.png', BLUE);
    folder.write('holes/b/notes.txt', 'hello');
    symlinkSync('nowhere', folder.path('holes/b/gone.png'));
    for (const again of [false, true]) {
      const { train, warnings, close } = await openData(folder.path('holes'));
      expect([...train.labels], `again ${again}`).toEqual([0, 0, 1]);
      expect([0, 1, 2].map((i) => train.item(i).values[0])).toEqual([255, 0, 0]);
      expect(warnings.map(({ code, message }) => `${code} ${message}`)).toEqual([
        expect.stringMatching(/^RV4002 2 files .* "b\/gone.png", "b\/notes.txt"$/),
        expect.stringMatching(/^RV4002 1 of 4 pictures .* "a\/2.jpg: .*"$/),
      ]);
      close();
    }
  });

  it('leaves out what lies beside the classes, and says so', async () => {
    for (const part of ['train', 'test']) {
      await folder.picture(`beside/${part}/a/1.png`, RED);
      await folder.picture(`beside/${part}/b/1.png`, BLUE);
      await folder.picture(`beside/${part}/c.png`, BLUE);
    }
    await folder.picture('beside/top.jpg', RED);
    folder.write('beside/README.md', 'hello');
    const messagesOf = async (name: string) => {
      const { warnings, train, close } = await openData(folder.path(name));
      expect(train.length).toBe(2);
      close();
      return warnings.map(({ code, message }) => `${code} ${message}`);
    };
    expect(await messagesOf('beside')).toEqual([
      'RV4002 3 pictures (.jpg, .png) lie in the folder of no class and are left out: "top.jpg", "train/c.png", "test/c.png"',
    ]);
    expect(await messagesOf('beside/train')).toEqual([
      expect.stringMatching(/^RV4002 1 pictures .* "c.png"$/),
    ]);
  });

  it('finds the items for testing behind those that cannot be read', async () => {
    await folder.picture('behind/train/a/1.png', RED);
    folder.write('behind/train/a/2.png', 'no picture');
    await folder.picture('behind/train/b/1.png', RED);
    folder.write('behind/test/a/0.png', 'no picture');
    await folder.picture('behind/test/b/1.png', BLUE);
    const { train, test, close } = await openData(folder.path('behind'));
    expect([[...train.labels], [...test!.labels]]).toEqual([[0, 1], [1]]);
    expect([...test!.item(0).values.subarray(0, 3)]).toEqual(BLUE);
    close();
  });

  it('with a class that lost all its pictures says that, too', async () => {
    await folder.picture('lost/a/1.png', RED);
    await folder.picture('lost/b/1.png', BLUE);
    folder.write('lost/c/1.png', 'no picture');
    const { warnings, close } = await openData(folder.path('lost'));
    expect(warnings.map(({ code }) => code)).toEqual(['RV4002', 'RV4005']);
    close();
  });

  it.each([
    ['RV4005', 'one class', async () => folder.picture('one/a/1.png', RED), 'one', {}],
    [
      'RV4003',
      '"b/1.png" is 5x5, "a/1.png" is 4x6',
      async () => {
        await folder.picture('mixed/a/1.png', RED);
        await folder.picture('mixed/b/1.png', RED, [5, 5]);
      },
      'mixed',
      {},
    ],
    [
      'RV4002',
      'none of 2 pictures',
      async () => {
        folder.write('broken/a/1.png', 'x');
        folder.write('broken/b/1.png', 'x');
      },
      'broken',
      {},
    ],
    ['RV4001', 'no pictures', async () => folder.write('none/a/1.txt', 'x'), 'none', {}],
    [
      'RV4004',
      '"c"',
      async () => {
        await folder.picture('strange/train/a/1.png', RED);
        await folder.picture('strange/train/b/1.png', RED);
        await folder.picture('strange/test/c/1.png', RED);
      },
      'strange',
      {},
    ],
    [
      'RV4001',
      'beside train and test there are "val"',
      async () => {
        await folder.picture('three/train/a/1.png', RED);
        await folder.picture('three/val/a/1.png', RED);
      },
      'three',
      {},
    ],
  ] as const)('is refused with %s: %s', async (code, says, make, name, options) => {
    await make();
    expect(await problemOf(openData(folder.path(name), options))).toMatchObject({
      code,
      message: expect.stringContaining(says),
      origin: expect.stringContaining(name),
    });
  });

  it('keeps nothing of a decoding that failed', async () => {
    await folder.picture('later/a/1.png', RED);
    await folder.picture('later/b/1.png', RED, [9, 9]);
    expect(await problemOf(openData(folder.path('later')))).toMatchObject({ code: 'RV4003' });
    expect(await problemOf(openData(folder.path('later')))).toMatchObject({ code: 'RV4003' });
    const { train, close } = await openData(folder.path('later'), { size: [4, 4] });
    expect(train.length).toBe(2);
    close();
  });
});

const CIFAR = join(import.meta.dirname, '../../../shared/data/cifar10-jpeg.tar.gz');

describe.runIf(existsSync(CIFAR))('CIFAR-10 as JPEG', () => {
  it('has ten classes and pictures of 32x32', async () => {
    const names = ['train/frog', 'train/truck', 'test/frog'].flatMap((path) =>
      [0, 1, 2].map((i) => `${path}/${String(i).padStart(4, '0')}.jpg`),
    );
    const listed = spawnSync('tar', ['tzf', CIFAR], { encoding: 'utf8', maxBuffer: 1 << 26 }).stdout.split(
      '\n',
    );
    const wanted = listed.filter((name) => names.some((ending) => name.endsWith(ending)));
    expect(wanted.length).toBeGreaterThan(5);
    writeFileSync(folder.path('wanted'), wanted.join('\n'));
    const target = folder.path('cifar/x');
    folder.write('cifar/x/empty', '');
    spawnSync('tar', ['xzf', CIFAR, '-C', target, '-T', folder.path('wanted')]);
    const { train, test, warnings, close } = await openData(target);
    expect(train).toMatchObject({ classes: ['frog', 'truck'], shape: [32, 32, 3] });
    expect(countClasses(train).every((count) => count > 0)).toBe(true);
    expect(test!.length).toBeGreaterThan(0);
    expect(new Set(train.item(0).values).size).toBeGreaterThan(20);
    expect(warnings).toEqual([]);
    close();
  }, 60_000);
});
