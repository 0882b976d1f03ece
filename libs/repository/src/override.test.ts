import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ShoalError } from '@shoal/core';
import { applyOverride, materialiseFiles, type ModelOverride } from './override';
import { scanModel } from './scan';
import type { ScannedModel } from './scan-model';

const bytes = (text: string): Uint8Array => Buffer.from(text);

describe('applyOverride', () => {
  let home: string;
  let repository: string;
  let temporary: string;

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'shoal-override-'));
    repository = join(home, 'repository');
    temporary = join(home, 'temporary');
    await mkdir(temporary);
    await mkdir(join(repository, 'm/1'), { recursive: true });
    await mkdir(join(repository, 'm/2'));
    await writeFile(join(repository, 'm/1/model.onnx'), 'one');
    await writeFile(join(repository, 'm/2/model.onnx'), 'two');
    await writeFile(join(repository, 'm/config.pbtxt'), 'max_batch_size: 8');
    await mkdir(join(repository, 'broken/1'), { recursive: true });
    await writeFile(join(repository, 'broken/1/model.onnx'), 'one');
    await writeFile(join(repository, 'broken/config.pbtxt'), '!');
  });

  afterEach(async () => {
    await rm(home, { recursive: true });
  });

  const apply = async (name: string, override: ModelOverride): Promise<ScannedModel> =>
    applyOverride(name, await scanModel([repository], name), override, temporary);

  async function refusal(name: string, override: ModelOverride): Promise<string> {
    const error: unknown = await apply(name, override).catch((thrown: unknown) => thrown);
    expect(error).toEqual(new ShoalError('INTERNAL', `failed to load '${name}', failed to poll from model repository`));
    expect(await readdir(temporary)).toEqual([]);
    const { cause } = error as ShoalError;
    expect(cause).toBeInstanceOf(ShoalError);
    expect((cause as ShoalError).message).not.toContain(home);
    return (cause as ShoalError).message;
  }

  test('nothing to override: as scanned', async () => {
    expect(await apply('m', {})).toEqual(await scanModel([repository], 'm'));
  });

  test('a config stands in for the file, also for a broken one, and chooses versions', async () => {
    const model = await apply('m', { config: '{"max_batch_size":"16","versionPolicy":{"all":{}}}' });
    expect(model.config).toMatchObject({ max_batch_size: 16, backend: 'onnxruntime' });
    expect(model.versions.map(({ label }) => label)).toEqual(['m/1/model.onnx', 'm/2/model.onnx']);
    expect((await apply('broken', { config: '{}' })).config.max_batch_size).toBe(0);
  });

  test('an unknown backend is told version by version', async () => {
    const { versions } = await apply('m', { config: '{"backend":"no_such_backend"}' });
    expect(versions.map(({ version, reason }) => [version, reason])).toEqual([
      [
        2,
        "Invalid argument: unable to find backend library for backend 'no_such_backend', try specifying runtime on the " +
          'model configuration.',
      ],
    ]);
  });

  test('files make a model of their own, which others may not read', async () => {
    const files = { '3/model.onnx': bytes('three'), '3/deep/weights.bin': bytes('w') };
    for (const name of ['m', 'brought']) {
      const model = await apply(name, { config: '{}', files });
      expect(model.directory.startsWith(temporary)).toBe(true);
      expect(model.versions.map(({ label, reason }) => [label, reason])).toEqual([[`${name}/3/model.onnx`, '']]);
      expect(await readFile(model.versions[0]?.file ?? '', 'utf8')).toBe('three');
      for (const path of ['', '3', '3/deep'])
        expect((await stat(join(model.directory, path))).mode & 0o777).toBe(0o700);
      expect((await stat(join(model.directory, '3/deep/weights.bin'))).mode & 0o777).toBe(0o600);
    }
  });

  test.each<[string, string, ModelOverride, string]>([
    ['no such model', 'unknown', {}, "no model repository holds model 'unknown'"],
    ['a broken config in the repository', 'broken', {}, "illegal field name '!'"],
    ['unreadable JSON', 'm', { config: '{' }, 'failed to read the model configuration from JSON'],
    ['an unknown field', 'm', { config: '{"no_such_field":1}' }, 'no_such_field: Cannot find field.'],
    ['another name', 'm', { config: '{"name":"n"}' }, "unexpected directory name 'm' for model 'n'"],
    ['files alone', 'm', { files: { '1/model.onnx': bytes('x') } }, "Load parameter 'config' must be specified"],
    ['no version among the files', 'm', { config: '{}', files: { 'model.onnx': bytes('x') } }, 'could not determine'],
    ['a name of dots', '..', { config: '{}', files: { '1/model.onnx': bytes('x') } }, 'path traversal'],
  ])('%s: refused, and nothing is left behind', async (_, name, override, reason) => {
    expect(await refusal(name, override)).toContain(reason);
  });

  test.each([
    '../x',
    '1/../../x',
    '/etc/x',
    '1//x',
    './1/x',
    '1/.',
    '',
    '1/',
    '1\\x',
    '1/x\0',
    `1/${'x'.repeat(256)}`,
    `1/${'ö'.repeat(128)}`,
    `1${'/x'.repeat(2000)}`,
  ])('the path %j is refused, and nothing is written', async (path) => {
    const files = { '1/model.onnx': bytes('x'), [path]: bytes('x') };
    expect(await refusal('m', { config: '{}', files })).toContain('it must stay within the model directory');
  });

  test('a file where a folder is needed fails and leaves nothing behind', async () => {
    const files = { '1': bytes('x'), '1/model.onnx': bytes('x') };
    await expect(materialiseFiles('m', files, temporary)).rejects.toBeInstanceOf(ShoalError);
    expect(await readdir(temporary)).toEqual([]);
  });
});
