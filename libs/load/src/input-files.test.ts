import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readInputs } from './input-files';
import type { ModelIo } from './model-io';

const model: ModelIo = {
  ...{ name: 'm', version: '', maxBatchSize: 0, outputs: [] },
  inputs: [
    { name: 'x', datatype: 'FP32', dims: [2, 2] },
    { name: 't', datatype: 'BYTES', dims: [-1] },
  ],
};
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'load-inputs-'));
});

afterAll(() => rmSync(folder, { recursive: true }));

const shapes = ({ name }: { name: string }) => (name === 'x' ? [2, 2] : [1]);

function read(json: unknown) {
  const file = path.join(folder, 'data.json');
  writeFileSync(file, typeof json === 'string' ? json : JSON.stringify(json));
  return readInputs(file, model, shapes);
}

test('all forms that perf_analyzer takes', () => {
  const b64 = Buffer.from(Float32Array.of(5, 6, 7, 8).buffer).toString('base64');
  const entries = read({
    data: [
      { x: [1, 2, 3, 4], t: ['a'] },
      {
        x: {
          content: [
            [1, 2],
            [3, 4],
          ],
        },
        t: { content: ['a', 'b'], shape: [2] },
      },
      [{ x: { b64 }, t: ['c'] }],
    ],
  });
  expect(entries).toHaveLength(3);
  const values = entries.map((entry) => [...new Float32Array(Uint8Array.from(entry.get('x')!.bytes).buffer)]);
  expect(values).toEqual([
    [1, 2, 3, 4],
    [1, 2, 3, 4],
    [5, 6, 7, 8],
  ]);
  expect(entries[1]?.get('t')?.shape).toEqual([2]);
});

test('a folder with raw bytes', () => {
  writeFileSync(path.join(folder, 'x'), Buffer.alloc(16));
  writeFileSync(path.join(folder, 't'), Buffer.from([1, 0, 0, 0, 65]));
  expect(readInputs(folder, model, shapes)[0]?.get('t')).toEqual({ shape: [1], bytes: Buffer.from([1, 0, 0, 0, 65]) });
});

test.each([
  ['no JSON', '{', 'JSON'],
  ['no data', {}, 'expected { "data"'],
  ['an empty list', { data: [] }, 'expected { "data"'],
  ['no input', { data: [{ x: [1, 2, 3, 4] }] }, 'data[0].t: expected'],
  ['too few values', { data: [{ x: [1], t: ['a'] }] }, '4 bytes where FP32 [2,2] takes 16'],
  ['too many strings', { data: [{ x: [1, 2, 3, 4], t: ['a', 'b'] }] }, 'expected 1 BYTES'],
  ['a wrong value', { data: [{ x: [1, 2, 3, 'four'], t: ['a'] }] }, '"four" is no FP32'],
  ['no object', { data: [7] }, 'data[0] is no object'],
])('%s is refused with its place', (_, json, why) => {
  expect(() => read(json)).toThrow(why);
});

test('a file that is not there', () => {
  expect(() => readInputs(path.join(folder, 'nothing'), model, shapes)).toThrow('expected random, zero');
});
