import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type Compilation, compile } from '../../src/compile.ts';
import { writeTflite } from '../../src/formats/tflite/writer.ts';
import { label } from '../../src/report/markup.ts';
import { reportPage } from '../../src/report/page.ts';
import { timeline } from '../../src/report/timeline.ts';
import { tinyModel, tinyModelFile } from '../support/models.ts';
import { HAS_SHARED, modelBytes } from '../support/shared.ts';

const HOSTILE = [
  '</script><script>alert(1)</script>',
  '<img src=x onerror="alert(2)">',
  '"\' onmouseover=alert(3) x="',
  '<!--<script>',
  'line\nbreak\u2028and \u202ereversed',
];

interface Drawing {
  readonly arena: number;
  readonly peak: number;
  readonly live: readonly number[];
  readonly calls: readonly number[];
  readonly layers: readonly string[];
  readonly buffers: readonly { readonly name: string; readonly blocks: readonly number[] }[];
}

function drawingOf(page: string): Drawing {
  return JSON.parse(/id="memory-data">(.*?)<\/script>/s.exec(page)![1]!) as Drawing;
}

/** The tiny model, whose layers and input bear `name`. */
function named(name: string): Compilation {
  const model = tinyModel();
  const subgraphs = model.subgraphs.map((graph) => ({
    ...graph,
    tensors: graph.tensors.map((tensor, i) => ({ ...tensor, name: `${name}${i}` })),
  }));
  return compile(writeTflite({ ...model, subgraphs }), { file: 'tiny.tflite' });
}

const tiny = compile(tinyModelFile(), { file: 'tiny.tflite' });

test('the same model gives the same bytes', () => {
  expect(reportPage(compile(tinyModelFile(), { file: 'tiny.tflite' }))).toBe(reportPage(tiny));
});

test('the page loads nothing, and its policy admits its own scripts only', () => {
  const page = reportPage(tiny);
  expect(page).not.toMatch(/https?:|@import|url\(|\ssrc=|\shref=/);
  const scripts = [...page.matchAll(/<script type="module">(.*?)<\/script>/gs)].map(([, text]) => text!);
  expect(scripts.length).toBeGreaterThan(0);
  const hashes = scripts.map((text) => `sha256-${createHash('sha256').update(text).digest('base64')}`);
  const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/
    .exec(page)![1]!
    .replaceAll('&#39;', "'");
  expect(policy).toContain("default-src 'none'");
  for (const hash of hashes) expect(policy).toContain(hash);
  expect(/script-src ([^;]*);/.exec(policy)![1]!.split(' ')).toHaveLength(scripts.length);
});

describe.each(HOSTILE)('a layer named %j', (name) => {
  const tags = (page: string) => [...page.matchAll(/<[^>]*>/g)].map(([tag]) => tag.replace(/ .*/s, ''));

  test('is text and nothing else', () => {
    const page = reportPage(named(name));
    // The same elements as with harmless names, in the same order.
    expect(tags(page)).toEqual(tags(reportPage(named('layer'))));
    expect(page).not.toMatch(/[\u2028\u202e]/);
  });

  test('reads the same in the data', () => {
    const { layers, buffers } = drawingOf(reportPage(named(name)));
    expect(layers[0]).toBe(`CONV_2D “${label(`${name}3`)}”`);
    expect(buffers.map((buffer) => buffer.name)).toContain(label(`${name}0`));
  });
});

test('half a character pair is no character', () => {
  expect(label('a\ud800b')).toBe('a?b');
});

test('endless names are cut in their middle', () => {
  expect(label(`a${'x'.repeat(100_000)}b`)).toMatch(/^ax+…x+b$/);
  expect(reportPage(named('y'.repeat(60_000))).length).toBeLessThan(100_000);
});

test('the data draws what the timeline says', () => {
  const time = timeline(tiny.program, tiny.plan);
  const drawing = drawingOf(reportPage(tiny));
  expect(drawing).toMatchObject({ arena: tiny.plan.arenaBytes, peak: time.peak, live: time.live });
  const calls = drawing.calls.flatMap((call, i) =>
    i % 2 === 0 ? Array(drawing.calls[i + 1]).fill(call) : [],
  );
  expect(calls).toEqual(time.calls);
  drawing.buffers.forEach(({ blocks }, i) => {
    let [end, birth, row] = [0, 0, 0];
    const unpacked = [];
    for (let j = 0; j < blocks.length; j += 6) {
      const [skip, bytes, later, life, rows, more] = blocks.slice(j, j + 6) as [
        number,
        number,
        number,
        number,
        number,
        number,
      ];
      const start = end + skip;
      [end, birth] = [start + bytes, birth + later];
      const firstRow = row + rows;
      row = firstRow + more;
      unpacked.push({ start, end, birth, death: birth + life, firstRow, lastRow: row });
    }
    expect(unpacked).toEqual(time.tracks[i]!.blocks);
  });
});

test('the verdict, with what is missing', () => {
  const large = (target: string) => reportPage(compile(tinyModelFile(128), { file: 'tiny.tflite', target }));
  expect(large('stm32f746')).toContain('It fits.');
  expect(large('stm32f746')).toMatch(/of 327,680 B: [\d,]+ B to spare/);
  expect(large('microbit')).toMatch(/It does not fit: [\d,]+ B of SRAM too many/);
  expect(reportPage(tiny)).toContain('No limits');
});

test('instructions have a column when a profile knows them', () => {
  expect(reportPage(tiny)).not.toContain('Instructions');
  const page = reportPage(tiny, [12_345, 678]);
  expect(page).toContain('>13,023<');
  expect(page).toMatch(/data-value="12345"[^>]*>12,345</);
});

test('every byte of the constants belongs to a layer', () => {
  const { weights, tables } = tiny.report.flash;
  const bytes = [...reportPage(tiny).matchAll(/constants ([\d,]+) B/g)].map(([, n]) =>
    Number(n!.replaceAll(',', '')),
  );
  expect(bytes).toHaveLength(tiny.program.calls.length);
  const own = bytes.reduce((sum, n) => sum + n, 0);
  expect(own).toBeGreaterThanOrEqual(weights);
  expect(own).toBeLessThanOrEqual(weights + tables);
});

test.skipIf(!HAS_SHARED)('the page of a large model stays below a megabyte', () => {
  const page = reportPage(compile(modelBytes('mcunetv2_large'), { file: 'large.tflite' }));
  expect(Buffer.byteLength(page)).toBeLessThan(1_000_000);
});
