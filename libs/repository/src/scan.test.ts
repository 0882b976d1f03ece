import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ShoalError } from '@shoal/core';
import { maxConfigBytes } from './limits';
import { scanModel, scanRepository } from './scan';
import type { RefusedModel, ScannedModel, ScanResult } from './scan-model';

const fixtures = join(__dirname, '../../../test/fixtures');

describe('scanRepository', () => {
  let home: string;
  let repository: string;

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'shoal-scan-'));
    repository = join(home, 'repository');
    await mkdir(repository);
  });

  afterEach(async () => {
    await rm(home, { recursive: true });
  });

  async function put(path: string, contents: string): Promise<void> {
    const file = join(repository, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, contents);
  }

  async function scan(): Promise<Record<string, ScanResult>> {
    const results = await scanRepository([repository]);
    expect(
      JSON.stringify(
        results.map((result) => (result.ok ? result.versions.map(({ reason }) => reason) : result.reason)),
      ),
    ).not.toContain(home);
    return Object.fromEntries(results.map((result) => [result.name, result]));
  }

  const ok = (result: ScanResult | undefined): ScannedModel => {
    if (!result?.ok) throw new Error(`refused: ${result?.reason}`);
    return result;
  };
  const no = (result: ScanResult | undefined): RefusedModel => {
    if (result?.ok !== false) throw new Error('was not refused');
    return result;
  };

  test('a folder with a model file needs no config', async () => {
    await put('m/1/model.onnx', '');
    const model = ok((await scan())['m']);
    expect(model.config).toMatchObject({
      platform: 'onnxruntime_onnx',
      backend: 'onnxruntime',
      default_model_filename: 'model.onnx',
    });
    expect(model.directory).toBe(join(repository, 'm'));
    expect(model.versions).toEqual([
      { version: 1, file: join(repository, 'm/1/model.onnx'), label: 'm/1/model.onnx', reason: '' },
    ]);
  });

  test('files, hidden folders and other folders are no models and no versions', async () => {
    await put('README.md', '');
    await put('.git/1/model.onnx', '');
    for (const folder of ['0', '01', '-1', '2x', 'labels', '3']) await put(`m/${folder}/model.onnx`, '');
    await put('m/4', 'a file');
    const results = await scan();
    expect(Object.keys(results)).toEqual(['m']);
    expect(ok(results['m']).versions.map(({ version }) => version)).toEqual([3]);
  });

  test('version policies', async () => {
    for (const model of ['latest', 'two', 'all', 'specific', 'none'])
      for (const version of [1, 2, 10]) await put(`${model}/${version}/model.onnx`, '');
    await put('two/config.pbtxt', 'version_policy { latest { num_versions: 2 } }');
    await put('all/config.pbtxt', 'version_policy { all {} }');
    await put('specific/config.pbtxt', 'version_policy { specific { versions: [10, 1, 7] } }');
    await put('none/config.pbtxt', 'version_policy { specific { versions: [7] } }');
    const results = await scan();
    const versions = (name: string): number[] => ok(results[name]).versions.map(({ version }) => version);
    expect([versions('latest'), versions('two'), versions('all'), versions('specific')]).toEqual([
      [10],
      [2, 10],
      [1, 2, 10],
      [1, 10],
    ]);
    expect(ok(results['specific']).warnings).toEqual([
      "version 7 is specified for model 'specific', but the version directory is not present",
    ]);
    expect(no(results['none']).reason).toBe(
      "at least one version must be available under the version policy of model 'none'",
    );
  });

  test('a version without its file, or with a folder for it, is unavailable alone', async () => {
    await put('m/config.pbtxt', 'platform: "onnxruntime_onnx" version_policy { all {} }');
    await mkdir(join(repository, 'm/1'), { recursive: true });
    await put('m/2/model.onnx/model.onnx', '');
    await put('m/3/model.onnx', '');
    expect(ok((await scan())['m']).versions.map(({ reason }) => reason)).toEqual([
      "Unavailable: unable to find 'm/1/model.onnx' for model instance 'm'",
      "Unavailable: 'm/2/model.onnx' for model instance 'm' must be a file",
      '',
    ]);
  });

  test('a model file of another name', async () => {
    await put('m/config.pbtxt', 'default_model_filename: "net.onnx"');
    await put('m/1/net.onnx', '');
    const [version] = ok((await scan())['m']).versions;
    expect(version).toMatchObject({ label: 'm/1/net.onnx', reason: '' });
  });

  test.each(['../1/x.onnx', 'a/x.onnx', '/etc/passwd', '..', '.', 'a\\\\b', 'x'.repeat(256)])(
    'the model file cannot be called %s',
    async (name) => {
      await put('m/config.pbtxt', `platform: "onnxruntime_onnx" default_model_filename: "${name}"`);
      await put('m/1/model.onnx', '');
      expect(no((await scan())['m']).reason).toContain("of model 'm' must");
    },
  );

  test('bad names are refused, and no others', async () => {
    await put('a..b/1/model.onnx', '');
    await put('line\nbreak/1/model.onnx', '');
    await put(' /1/model.onnx', '');
    await put('Straße 7.b/1/model.onnx', '');
    const results = await scan();
    expect(no(results['a..b']).reason).toBe(
      "invalid model name 'a..b', model name must not contain path traversal characters",
    );
    expect(no(results['line\nbreak']).reason).toBe(
      "invalid model name 'line\\nbreak', model name must not contain control characters",
    );
    expect(no(results[' ']).reason).toBe('model name must not contain only whitespace characters');
    ok(results['Straße 7.b']);
  });

  test('a name in two repositories is refused, others are not', async () => {
    const second = join(home, 'second');
    await put('m/1/model.onnx', '');
    await put('n/1/model.onnx', '');
    await mkdir(join(second, 'm/1'), { recursive: true });
    const results = await scanRepository([repository, second]);
    expect(results.map(({ name, ok: fine }) => [name, fine])).toEqual([
      ['m', false],
      ['n', true],
    ]);
    expect(no(results[0]).reason).toBe("failed to poll model 'm': not unique across all model repositories");
    expect(await scanModel([repository, second], 'm')).toEqual(results[0]);
  });

  test('a repository that cannot be read is an error that names no path', async () => {
    const scanning = scanRepository([repository, join(home, 'none')]);
    await expect(scanning).rejects.toEqual(
      new ShoalError('INVALID_ARGUMENT', 'model repository 2 cannot be read: no such file or folder'),
    );
  });

  test('labels are read from inside the folder only, also through symbolic links', async () => {
    const config = (file: string): string =>
      `platform: "onnxruntime_onnx" output { name: "y" label_filename: "${file}" }`;
    await writeFile(join(home, 'secret.txt'), 'secret');
    for (const model of ['plain', 'below', 'inside', 'outside', 'up', 'missing', 'folder'])
      await put(`${model}/1/model.onnx`, '');
    await put('plain/config.pbtxt', config('labels.txt'));
    await put('plain/labels.txt', 'cat\r\ndog\n\nfish\n');
    await put('below/config.pbtxt', config('texts/labels.txt'));
    await put('below/texts/labels.txt', 'cat');
    await put('inside/config.pbtxt', config('labels.txt'));
    await put('inside/..data/labels.txt', 'cat\n');
    await symlink('..data/labels.txt', join(repository, 'inside/labels.txt'));
    await put('outside/config.pbtxt', config('labels.txt'));
    await symlink(join(home, 'secret.txt'), join(repository, 'outside/labels.txt'));
    await put('up/config.pbtxt', config('../../secret.txt'));
    await put('missing/config.pbtxt', config('labels.txt'));
    await put('folder/config.pbtxt', config('1'));
    const results = await scan();
    expect(ok(results['plain']).labels).toEqual({ y: ['cat', 'dog', '', 'fish'] });
    expect(ok(results['below']).labels).toEqual({ y: ['cat'] });
    expect(ok(results['inside']).labels).toEqual({ y: ['cat'] });
    const reasons = ['outside', 'up', 'missing', 'folder'].map((model) => no(results[model]).reason);
    expect(reasons).toEqual([
      "unable to read labels file 'labels.txt' of output 'y' of model 'outside': it must lie inside the model folder",
      "unable to read labels file '../../secret.txt' of output 'y' of model 'up': it must lie inside the model folder",
      "unable to read labels file 'labels.txt' of output 'y' of model 'missing': no such file or folder",
      "unable to read labels file '1' of output 'y' of model 'folder': not a regular file",
    ]);
  });

  test('a config that is a pipe, a folder, huge or no text does not stop the scan', async () => {
    for (const model of ['pipe', 'folder', 'huge', 'latin', 'fine']) await put(`${model}/1/model.onnx`, '');
    execFileSync('mkfifo', [join(repository, 'pipe/config.pbtxt')]);
    await mkdir(join(repository, 'folder/config.pbtxt'));
    await put('huge/config.pbtxt', '#'.repeat(maxConfigBytes + 1));
    await writeFile(join(repository, 'latin/config.pbtxt'), Buffer.from('name: "\xe9"', 'latin1'));
    const results = await scan();
    ok(results['fine']);
    const reasons = ['pipe', 'folder', 'huge', 'latin'].map((model) =>
      no(results[model]).reason.replace(/^.*pbtxt: /, ''),
    );
    expect(reasons).toEqual([
      'not a regular file',
      'not a regular file',
      `larger than ${maxConfigBytes} bytes`,
      'it is not UTF-8',
    ]);
  });

  test.each([
    [
      'backend: "no_such_backend"',
      "Invalid argument: unable to find backend library for backend 'no_such_backend', try specifying runtime on the model configuration.",
    ],
    [
      'platform: "ensemble" ensemble_scheduling { step { model_name: "a" } }',
      "Unsupported: ensembles are not supported yet (model 'm')",
    ],
    [
      'platform: "onnxruntime_onnx" sequence_batching {}',
      "Unsupported: sequence_batching is not supported yet (model 'm')",
    ],
    [
      'model_transaction_policy { decoupled: true }',
      "Unsupported: the decoupled transaction policy is not supported yet (model 'm')",
    ],
    [
      'input { name: "x" allow_ragged_batch: true }',
      "Unsupported: allow_ragged_batch needs a max_batch_size of 1 or more (model 'm')",
    ],
    [
      'input { name: "x" } batch_input { source_input: "x" }',
      "Unsupported: batch_input and batch_output need a max_batch_size of 1 or more (model 'm')",
    ],
    [
      'output { name: "y" data_type: TYPE_BF16 }',
      "Unsupported: unsupported datatype TYPE_BF16 for output 'y' for model 'm'",
    ],
    [
      'model_operations { op_library_filename: "a.so" }',
      "Unsupported: custom operator libraries cannot be loaded by ONNX Runtime for Node.js (model 'm')",
    ],
  ])('%s: known, but unavailable', async (text, reason) => {
    await put('m/config.pbtxt', text);
    await put('m/1/model.onnx', '');
    expect(ok((await scan())['m']).versions.map((version) => version.reason)).toEqual([reason]);
  });

  test.each([
    [
      'platform: "caffe"',
      "unexpected platform type 'caffe' for m. The platforms that can be served are: onnxruntime_onnx (backend onnxruntime).",
    ],
    [
      'platform: "tensorrt_plan" backend: "onnxruntime"',
      "unexpected 'platform' and 'backend' pair, got:tensorrt_plan, onnxruntime",
    ],
    [
      'default_model_filename: "model.pt"',
      "could not determine the backend for model 'm': its configuration names none and no version folder holds 'model.onnx'. The platforms that can be served are: onnxruntime_onnx (backend onnxruntime).",
    ],
  ])('%s: refused', async (text, reason) => {
    await put('m/config.pbtxt', text);
    await put('m/1/model.onnx', '');
    expect(no((await scan())['m']).reason).toBe(reason);
  });

  test('scanModel finds one, and nothing outside of the repository', async () => {
    await put('m/1/model.onnx', '');
    expect(await scanModel([repository], 'm')).toEqual((await scan())['m']);
    for (const name of ['n', '../repository/m', '..', '', '.', 'm/1'])
      expect(await scanModel([repository], name)).toBeUndefined();
  });

  test('every fixture: each has an answer, each hostile config the one it should', async () => {
    const results = await scanRepository([join(fixtures, 'models'), join(fixtures, 'hostile')]);
    expect(results.length).toBeGreaterThan(70);
    const texts = results.map((result) =>
      result.ok ? result.versions.map(({ reason }) => reason).join() : result.reason,
    );
    expect(texts.join('\n')).not.toContain(fixtures);
    const of = (name: string): string | undefined => texts[results.findIndex((result) => result.name === name)];
    expect(of('digits_cnn')).toBe('');
    expect(of('config_syntax_error')).toBe(
      'failed to read text proto from config_syntax_error/config.pbtxt: 3:17: integer value expected',
    );
    expect(of('config_name_differs')).toBe(
      "unexpected directory name 'config_name_differs' for model 'another', directory name must equal model name",
    );
    expect(of('config_default_filename_traversal')).toContain('must be a file name, not a path');
    expect(of('config_labels_traversal')).toContain('it must lie inside the model folder');
    expect(of('config_other_platform')).toContain('The platforms that can be served are: onnxruntime_onnx');
    expect(of('no_version_folder')).toContain('at least one version must be available');
  });
});
