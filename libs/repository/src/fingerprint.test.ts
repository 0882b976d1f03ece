import { mkdir, mkdtemp, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { diffRepositories, type RepositoryDiff, type RepositorySnapshot } from './diff';
import { fingerprintFolder } from './fingerprint';
import { scanRepository } from './scan';

describe('fingerprints of a model folder', () => {
  let home: string;
  const at = (path: string): string => join(home, 'm', path);
  const look = async (): Promise<RepositorySnapshot> =>
    new Map((await scanRepository([home])).map(({ name, snapshot }) => [name, snapshot]));

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'shoal-print-'));
    for (const version of ['1', '2', '3']) await mkdir(at(version), { recursive: true });
    for (const version of ['1', '2']) await writeFile(at(`${version}/model.onnx`), 'model');
    await writeFile(
      at('config.pbtxt'),
      'version_policy { specific { versions: [1, 2] } } output { name: "y" label_filename: "labels.txt" }',
    );
    await writeFile(at('labels.txt'), 'cat\n');
  });

  afterEach(async () => {
    await rm(home, { recursive: true });
  });

  const nothing: RepositoryDiff = { added: [], changed: [], removed: [] };
  const change = (load: number[], reload: number[], unload: number[]): RepositoryDiff => ({
    ...nothing,
    changed: [{ model: 'm', load, reload, unload, reason: '' }],
  });

  test.each<[string, () => Promise<unknown>, RepositoryDiff]>([
    ['nothing', async () => {}, nothing],
    [
      'hidden files and back-ups',
      () => writeFile(at('.config.pbtxt.swp'), 'x').then(() => writeFile(at('1/x~'), 'x')),
      nothing,
    ],
    ['a version that is not asked for', () => writeFile(at('3/model.onnx'), 'x'), nothing],
    ["a version's file, same size", () => utimes(at('2/model.onnx'), 1, 2), change([], [2], [])],
    ["a version's weights", () => writeFile(at('1/weights.bin'), 'x'), change([], [1], [])],
    ['a version goes', () => rm(at('1'), { recursive: true }), change([], [], [1])],
    ['the config, same size', () => utimes(at('config.pbtxt'), 1, 2), change([], [1, 2], [])],
    ['the labels', () => writeFile(at('labels.txt'), 'dog!\n'), change([], [1, 2], [])],
    ['warm-up data', () => mkdir(at('warmup')).then(() => writeFile(at('warmup/x'), 'x')), change([], [1, 2], [])],
    ['the whole model', () => rename(join(home, 'm'), join(home, 'n')), { added: ['n'], changed: [], removed: ['m'] }],
    [
      'a broken config',
      () => writeFile(at('config.pbtxt'), 'x'),
      {
        ...nothing,
        changed: [
          {
            model: 'm',
            load: [],
            reload: [],
            unload: [],
            reason:
              'failed to read text proto from m/config.pbtxt: 1:1: Message type "inference.ModelConfig" has no field ' +
              'named "x".',
          },
        ],
      },
    ],
  ])('%s', async (_, act, expected) => {
    const before = await look();
    await act();
    expect(diffRepositories(before, await look())).toEqual(expected);
  });

  test('a loop of symbolic links ends', async () => {
    await symlink(at('.'), at('1/loop'));
    await symlink(at('1'), at('4'));
    const print = await fingerprintFolder(join(home, 'm'));
    expect([...print.versions.keys()]).toEqual([1, 2, 3, 4]);
  });
});
