import { cpSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scanModel } from '@shoal/repository';
import { contentGeneration } from './content-generation';

const fixture = join(__dirname, '../../../../test/fixtures/models/simple');
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'generation-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

/** The name of a copy of the model, after `change`. */
async function nameOf(copy: string, change: (path: string) => void = () => undefined): Promise<string> {
  cpSync(fixture, join(folder, copy, 'simple'), { recursive: true });
  change(join(folder, copy, 'simple'));
  const scan = await scanModel([join(folder, copy)], 'simple');
  if (!scan?.ok) throw new Error('the copy cannot be loaded');
  return contentGeneration(scan, scan.versions[0]!);
}

test('copies have one name, wherever they lie and whenever they were made', async () => {
  const name = await nameOf('a');
  expect(name).toMatch(/^[\w-]{18}$/);
  expect(await nameOf('b', (path) => utimesSync(join(path, '1/model.onnx'), 1, 1))).toBe(name);
});

test('another config, another file or another content is another name', async () => {
  const names = [
    await nameOf('a'),
    await nameOf('b', (path) => writeFileSync(join(path, 'config.pbtxt'), 'name: "simple" backend: "onnxruntime"')),
    await nameOf('c', (path) => writeFileSync(join(path, '1/weights.bin'), 'x')),
    await nameOf('d', (path) => writeFileSync(join(path, '1/weights.bin'), 'y')),
    await nameOf('e', (path) => writeFileSync(join(path, '1/model.onnx'), 'other')),
  ];
  expect(new Set(names).size).toBe(names.length);
});
