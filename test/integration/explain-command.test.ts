import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { TemporaryRepository } from '../support/repository';
import { cli, root } from '../support/paths';
import { type Shoal, startShoal } from '../support/shoal';

const run = promisify(execFile);
const folder = mkdtempSync(path.join(tmpdir(), 'shoal-explain-'));
const file = (name: string) => path.join(folder, name);
let repository: TemporaryRepository;
let shoal: Shoal;

beforeAll(async () => {
  repository = new TemporaryRepository({});
  for (const name of ['digits', 'simple']) {
    cpSync(path.join(root, 'models', name), repository.path(name), { recursive: true });
  }
  shoal = await startShoal({ repository });
  // A PGM of 8 × 8 pixels: a one.
  const rows = Array.from({ length: 8 }, () => '0 0 0 14 16 0 0 0').join('\n');
  writeFileSync(file('one.pgm'), `P2\n8 8\n16\n${rows}\n`);
}, 60_000);

afterAll(async () => {
  await shoal.stop();
  repository.delete();
  rmSync(folder, { recursive: true });
}, 40_000);

/** What `shoal explain` prints; its exit code and complaint when it fails. */
async function explain(...argv: string[]): Promise<string> {
  try {
    return (await run(process.execPath, [cli, 'explain', ...argv, '--url', shoal.address])).stdout;
  } catch (thrown) {
    const { code, stderr } = thrown as { code: number; stderr: string };
    return `${code} ${stderr}`;
  }
}

const ones = JSON.stringify(Array.from({ length: 16 }, (_, i) => i + 1));
const row = ['--input', `{"INPUT0": ${ones}, "INPUT1": ${ones}}`];

test('a sum is explained by what is added', async () => {
  const text = await explain('simple', ...row, '--background', 'zero', '--index', '3', '--method', 'permutation');
  expect(text).toMatch(/^OUTPUT0\[3\]\nbase 0, output 8, additivity gap 0\n/);
  expect(text).toMatch(/\nINPUT0\[3\] +4 +│█+ +\+4/);
  expect(text).toMatch(/\nINPUT1\[3\] +4 +│█+ +\+4/);
  expect(text).toMatch(/\nINPUT0\[0\] +1 +│ +0/);
  expect(text).not.toContain('\u001b');
}, 60_000);

test('the same as JSON', async () => {
  const options = ['--background', 'zero', '--index', '3', '--method', 'permutation', '--seed', '4', '--json'];
  const answer = JSON.parse(await explain('simple', ...row, ...options)) as {
    seed: number;
    outputs: { values: number[]; base_value: number }[];
  };
  expect(answer).toMatchObject({ model_name: 'simple', model_version: '1', method: 'permutation', seed: 4 });
  const values = answer.outputs[0]?.values ?? [];
  expect(values).toHaveLength(32);
  expect(values[3]).toBeCloseTo(4, 9);
  expect(values[19]).toBeCloseTo(4, 9);
}, 60_000);

test('a picture is explained by its cells, in a report and as a heat map', async () => {
  const picture = ['--image', file('one.pgm'), '--image-scale', '0.0627', '--groups', '2x4', '--background', 'zero'];
  const text = await explain('digits', ...picture, '--report', file('r.html'), '--svg', file('s.svg'), '--top-k', '2');
  expect(text).toMatch(/probabilities\[\d\] \(digit \d\)/);
  expect(text).toContain('row 2, column 4');
  const page = readFileSync(file('r.html'), 'utf8');
  expect(page.match(/<h2>/g)).toHaveLength(2);
  expect(page).toContain('where in the picture');
  expect(readFileSync(file('s.svg'), 'utf8')).toMatch(/^<svg [^]*data:image\/png;base64,[^]*<\/svg>$/);
}, 60_000);

test('rules, maps and measures have words and charts of their own', async () => {
  const picture = ['--image', file('one.pgm'), '--image-scale', '0.0627', '--groups', '2x4', '--background', 'zero'];
  const rule = await explain('digits', ...picture, '--method', 'anchors', '--svg', file('rule.svg'));
  expect(rule).toMatch(/^if {4}\S/);
  expect(rule).toMatch(/\nthen {2}digit \d\n/);
  expect(rule).toMatch(/\nright for [\d.]+ % of \d+ samples/);
  expect(readFileSync(file('rule.svg'), 'utf8')).toContain('how often it is right');
  const options = [
    '--method-options',
    '{"masks": 100}',
    '--quality',
    'deletion,insertion',
    '--report',
    file('map.html'),
  ];
  const map = await explain('digits', ...picture, '--method', 'rise', ...options);
  expect(map).toMatch(/\ndeletion +[\d.e-]+ of probabilities\[\d\]\n/);
  const page = readFileSync(file('map.html'), 'utf8');
  for (const words of ['where in the picture', 'mean over each feature', 'insertion']) expect(page).toContain(words);
}, 60_000);

test('what cannot be is said, and the exit code is not 0', async () => {
  expect(await explain('simple')).toContain('2 shoal: shoal explain needs a row');
  expect(await explain('nope', ...row)).toMatch(/^1 shoal: .*nope/);
  expect(await explain('simple', '--input', '{"INPUT0": [1]}')).toContain('a row of it has the shape [16]');
  expect(await explain('simple', ...row, '--background', 'nobody')).toMatch(/^[12] shoal: .*nobody/);
  const report = ['--background', 'zero', '--report', path.join(folder, 'none', 'r.html')];
  expect(await explain('simple', ...row, ...report)).toMatch(/^2 shoal: --report .* cannot be written: ENOENT/);
}, 60_000);
