import { existsSync, readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { writeTflite } from '../../src/formats/tflite/writer.ts';
import { zooModel } from '../../src/zoo/model.ts';
import { ZOO } from '../../src/zoo/networks.ts';
import { cli, cliJson, type ErrorDocument, temporaryFolder } from '../support/cli.ts';

const folder = temporaryFolder();
afterAll(folder.remove);

describe('zoo', () => {
  it('lists every network with its costs', async () => {
    const { code, stdout } = await cli('zoo');
    expect(code).toBe(0);
    for (const { name } of ZOO) expect(stdout).toContain(name);
    expect(stdout).toMatch(/mcunet-vww1 +80x80x3 +2 +11,578,816 +426,634/);
    const { document } = await cliJson<{ networks: { name: string }[] }>('zoo');
    expect(document.networks.map(({ name }) => name)).toEqual(ZOO.map(({ name }) => name));
  });

  it('writes a model with the seed asked for', async () => {
    const file = folder.path('vww0.tflite');
    const { document } = await cliJson<{ written: object; network: object }>(
      ...['zoo', 'mcunet-vww0', '-o', file, '--seed', '7'],
    );
    const bytes = writeTflite(zooModel('mcunet-vww0', 7));
    expect(document.written).toEqual({ file, seed: 7, bytes: bytes.length });
    expect(new Uint8Array(readFileSync(file))).toEqual(bytes);
    expect((await cli('inspect', file)).code).toBe(0);
  });

  it('describes a network without writing it', async () => {
    const { code, stdout } = await cli('zoo', 'mcunet-in4');
    expect(code).toBe(0);
    expect(stdout).toContain('125,874,400');
    expect(stdout).not.toContain('mcunet-in3');
  });

  it.each([
    [['mcunet-in9'], 'RV3001', 'there is no network "mcunet-in9"'],
    [['-o', 'model.tflite'], 'RV3001', 'which network to write is not said'],
    [['mcunet-in0', '--seed', '-1'], 'RV3001', 'not an integer'],
    [['mcunet-in0', '--seed', '4294967296'], 'RV3001', 'not an integer'],
    [['mcunet-in0', '-o', folder.path('none/model.tflite')], 'RV3005', 'cannot be written'],
  ])('says what is wrong with %j', async (argv, wanted, message) => {
    const { code, document } = await cliJson<ErrorDocument>('zoo', ...argv);
    const [diagnostic] = document.error.diagnostics;
    expect([code, diagnostic!.code]).toEqual([2, wanted]);
    expect(diagnostic!.message).toContain(message);
    expect(existsSync('model.tflite')).toBe(false);
  });
});
