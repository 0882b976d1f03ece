import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseFlags } from '@shoal/config';
import type { ModelIo } from '@shoal/load';
import { encode } from 'fast-png';
import { explainFlags } from './explain-flags';
import { questionOf } from './question';

const table: ModelIo = {
  ...{ name: 'm', version: '', maxBatchSize: 8, outputs: [] },
  inputs: [{ name: 'x', datatype: 'FP32', dims: [4] }],
};
const picture: ModelIo = { ...table, inputs: [{ name: 'x', datatype: 'FP32', dims: [1, 4, 4] }] };

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'explain-'));
  writeFileSync(path.join(folder, 'rows.csv'), 'a,b,c,d\n1,2,3,4\n5,6,7,8\n');
  writeFileSync(path.join(folder, 'groups.json'), '{"both": ["b", 3], "third": ["c"]}');
  const data = Uint8Array.from({ length: 16 }, (_, i) => i);
  writeFileSync(path.join(folder, 'p.png'), encode({ width: 4, height: 4, channels: 1, depth: 8, data }));
});
afterAll(() => rmSync(folder, { recursive: true }));

function ask(model: ModelIo, ...line: readonly string[]) {
  const argv = line.map((word) => word.replace('@', folder + path.sep));
  const { request, ...rest } = questionOf(parseFlags(explainFlags, { argv, env: {} }), model);
  return { request: request as Record<string, unknown>, ...rest };
}

test('a line of a table, with all that can be said of it', () => {
  const options = ['--background', '@rows.csv', '--background-rows', '1', '--index', '0', '--index', '2'];
  const more = ['--link', 'logit', '--budget', '100', '--target-error', '0.01', '--seed', '7', '--method', 'lime'];
  const { request, shown } = ask(table, '--csv', '@rows.csv', '--row', '2', ...options, ...more, '--output', 'p');
  expect(request).toMatchObject({
    ...{ model_name: 'm', model_version: '', seed: 7, lime: {} },
    inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 4] }],
    explained: [{ name: 'x', feature_names: ['a', 'b', 'c', 'd'] }],
    baseline: { rows: { inputs: [{ shape: [2, 4] }] }, sample: 1, summarize: 0 },
    output: { name: 'p', indices: { index: [0, 2] } },
    link: { function: 'LOGIT' },
    budget: { max_evaluations: 100, target_error: 0.01 },
  });
  expect(shown).toEqual(['5', '6', '7', '8']);
});

test('groups are named, and what is in none stays alone', () => {
  const { request, shown } = ask(table, '--csv', '@rows.csv', '--groups', '@groups.json');
  expect(request['explained']).toEqual([{ name: 'x', feature_names: ['both', 'third', 'a'], groups: [2, 0, 1, 0] }]);
  // In the order in which their first elements come.
  expect(shown).toEqual(['1', '', '3']);
});

test('a picture is divided into cells, and its pixels belong to them', () => {
  const { request, picture: subject } = ask(picture, '--image', '@p.png', '--groups', '2x4');
  expect(request['explained']).toMatchObject([{ grid: { rows: 2, columns: 4, height_axis: 1, width_axis: 2 } }]);
  expect(Array.from(subject?.featureOf ?? [])).toEqual([0, 1, 2, 3, 0, 1, 2, 3, 4, 5, 6, 7, 4, 5, 6, 7]);
});

test('a text is its words, and a mask may stand for those that are absent', () => {
  const text: ModelIo = { ...table, inputs: [{ name: 't', datatype: 'BYTES', dims: [1] }] };
  const { request } = ask(text, '--text', 'so good', '--text-mask', '[MASK]');
  expect(request).toMatchObject({
    inputs: [{ name: 't', datatype: 'BYTES', shape: [1, 1] }],
    raw_input_contents: [Buffer.from('\u0007\0\0\0so good')],
    explained: [{ name: 't', text: { mask: '[MASK]' } }],
  });
  expect(ask(text, '--text', 'so good').request['explained']).toEqual([{ name: 't', feature_names: [], text: {} }]);
  expect(() => ask(table, '--text', 'so good')).toThrow("input 'x' is of FP32: token ids are in --input");
  expect(() => ask(table, '--csv', '@rows.csv', '--text-mask', 'x')).toThrow('--text-mask is for a --text');
});

test('measures by their names, parts of a picture that are alike, baselines of pictures, options in a file', () => {
  const { request } = ask(table, '--csv', '@rows.csv', '--quality', 'infidelity=50, sensitivity,insertion');
  expect(request['quality']).toEqual({ infidelity_samples: 50, sensitivity_samples: 10, insertion: true });
  expect(() => ask(table, '--csv', '@rows.csv', '--quality', 'deletion=3')).toThrow("'deletion=3' is none of");
  const axes = { height_axis: 1, width_axis: 2 };
  const parts = ask(picture, '--image', '@p.png', '--groups', 'superpixels=5', '--background', 'blur').request;
  expect(parts['explained']).toEqual([{ name: 'x', feature_names: [], superpixels: { segments: 5, ...axes } }]);
  expect(parts['baseline']).toMatchObject({ generator: { kind: 'BLUR' } });
  expect(ask(picture, '--image', '@p.png', '--background', 'mean').request['baseline']).toMatchObject({
    generator: { kind: 'CHANNEL_MEAN' },
  });
  writeFileSync(path.join(folder, 'options.json'), '{"samples": 7}');
  const lime = ask(table, '--csv', '@rows.csv', '--method', 'lime', '--method-options', '@options.json').request;
  expect(lime['lime']).toEqual({ samples: 7 });
});

test('stored backgrounds and made ones', () => {
  const of = (background: string) => ask(table, '--csv', '@rows.csv', '--background', background).request['baseline'];
  expect(of('patients')).toMatchObject({ background: 'patients' });
  expect(of('zero')).toMatchObject({ generator: { kind: 'ZERO' } });
  expect(of('mean')).toMatchObject({ generator: { kind: 'MEAN' } });
  expect(ask(table, '--csv', '@rows.csv').request['baseline']).toBeUndefined();
});

test.each([
  ['no row', [], 'needs a row'],
  ['two rows', ['--csv', 'a', '--input', '{}'], 'needs a row'],
  ['a file that there is not', ['--csv', '@none.csv'], 'there is no such file'],
  ['names of another number', ['--csv', '@rows.csv', '--feature-names', 'a,b'], '2 names for the 4 elements'],
  ['two choices', ['--csv', '@rows.csv', '--index', '1', '--top-k', '2'], 'exclude each other'],
  ['an index that is none', ['--csv', '@rows.csv', '--index', '-1'], 'expected the number of an element'],
  ['options that are none', ['--csv', '@rows.csv', '--method-options', '[]'], 'expected a JSON object'],
  ['a choice of no background', ['--csv', '@rows.csv', '--background-rows', '3'], 'are of a --background'],
])('%s is refused', (_, line, why) => {
  expect(() => ask(table, ...line)).toThrow(why);
});

test('groups that cannot be are refused', () => {
  const groups = (json: string) => {
    writeFileSync(path.join(folder, 'wrong.json'), json);
    return () => ask(table, '--csv', '@rows.csv', '--groups', '@wrong.json');
  };
  expect(groups('{"g": ["z"]}')).toThrow("group 'g' has 'z', which is no name or place");
  expect(groups('{"g": ["a"], "h": [0]}')).toThrow("'0' is in two groups");
  expect(groups('{"g": []}')).toThrow('expected JSON');
  expect(() => ask(picture, '--image', '@p.png', '--groups', '5x1')).toThrow('at most 4x4');
});
