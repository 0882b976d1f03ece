import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createHash } from 'node:crypto';
import { ExplainClient, type Explanation } from '../support/explain-client';
import { type DiabetesFixture, diabetesRequest, explainFixture, rowsOf } from '../support/explain-requests';
import { type Shoal, startShoal } from '../support/shoal';
import { float32 } from '../support/tensors';

const { background } = explainFixture<DiabetesFixture>('diabetes-mlp');
const keys = { lab: 'shoal_lab_1', guest: 'shoal_guest_1' };
let folder: string;
let shoal: Shoal;
let client: ExplainClient;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'shoal-backgrounds-'));
  const names = Array.from({ length: 10 }, (_, i) => `f${i}`).join(',');
  writeFileSync(path.join(folder, 'from-csv.csv'), [names, ...background.map((row) => row.join(','))].join('\n'));
  writeFileSync(path.join(folder, 'from-json.json'), JSON.stringify({ input: background }));
  const tenant = (name: 'lab' | 'guest', more: object) => ({
    name,
    keys: [{ id: 'k', sha256: createHash('sha256').update(keys[name]).digest('hex') }],
    ...more,
  });
  const tenants = [
    tenant('lab', { models: ['*'], permissions: ['metadata', 'inference', 'control'] }),
    tenant('guest', { models: ['iris_*'], permissions: ['inference'] }),
  ];
  writeFileSync(path.join(folder, 'auth'), JSON.stringify({ tenants }));
  const args = ['--explain-backgrounds', folder, '--auth-file', path.join(folder, 'auth')];
  shoal = await startShoal({ models: { diabetes_mlp: {} }, args });
  client = new ExplainClient(shoal.address);
}, 60_000);

afterAll(async () => {
  client.close();
  await shoal.stop();
  rmSync(folder, { recursive: true });
}, 40_000);

const lab = { metadata: { 'x-api-key': keys.lab } };
const guest = { metadata: { authorization: `Bearer ${keys.guest}` } };
const named = (name: string) => diabetesRequest({ baseline: { background: name } });
type Listed = { backgrounds: Explanation['background'][] };

test('rows of files, stored rows and rows in the request are the same rows, by their hash and in what comes of them', async () => {
  const inline = await client.explain(diabetesRequest(), lab);
  expect(inline.background.source).toBe('request');
  const rows = rowsOf(float32('input', [background.length, 10], background.flat()));
  await client.call('PutBackground', { name: 'stored', model: 'diabetes_mlp', rows }, lab);
  for (const [name, source] of [
    ['stored', 'stored'],
    ['from-csv', 'file'],
    ['from-json', 'file'],
  ] as const) {
    const answer = await client.explain(named(name), lab);
    expect(answer.outputs).toEqual(inline.outputs);
    expect(answer.background).toEqual({ ...inline.background, name, source });
  }
  const few = { ...named('stored'), baseline: { background: 'stored', sample: 5 }, seed: 2 };
  const drawn = await client.explain(few, lab);
  expect(drawn.background.rows).toBe(5);
  expect((await client.explain(few, lab)).background.sha256).toBe(drawn.background.sha256);
  expect((await client.explain({ ...few, seed: 3 }, lab)).background.sha256).not.toBe(drawn.background.sha256);
}, 30_000);

test('backgrounds are listed, replaced and deleted; files are not', async () => {
  const rows = (count: number) => rowsOf(float32('input', [count, 10], Array<number>(count * 10).fill(0)));
  await client.call('PutBackground', { name: 'mine', model: 'other', rows: rows(3) }, lab);
  const list = async (model = '') => (await client.call<Listed>('ListBackgrounds', { model }, lab)).backgrounds;
  expect((await list()).map(({ name }) => name)).toEqual(expect.arrayContaining(['from-csv', 'from-json', 'mine']));
  expect((await list('diabetes_mlp')).some(({ name }) => name === 'mine')).toBe(false);
  expect(await client.failure('Explain', named('mine'), lab)).toMatchObject({
    code: 'INVALID_ARGUMENT',
    details: "background 'mine' was stored for model 'other'",
  });
  await client.call('PutBackground', { name: 'mine', rows: rows(2) }, lab);
  expect((await list()).find(({ name }) => name === 'mine')).toMatchObject({
    rows: 2,
    model: '',
    source: 'stored',
    inputs: ['input'],
  });
  await client.call('DeleteBackground', { name: 'mine' }, lab);
  for (const name of ['mine', 'never']) {
    expect(await client.failure('DeleteBackground', { name }, lab)).toMatchObject({ code: 'NOT_FOUND' });
    expect(await client.failure('Explain', named(name), lab)).toMatchObject({ code: 'NOT_FOUND' });
  }
  expect(await client.failure('DeleteBackground', { name: 'from-csv' }, lab)).toMatchObject({
    code: 'FAILED_PRECONDITION',
  });
  expect(await client.failure('PutBackground', { name: 'a b', rows: rows(1) }, lab)).toMatchObject({
    code: 'INVALID_ARGUMENT',
  });
}, 30_000);

test('without a baseline absent features are zero, and the answer warns of it', async () => {
  const answer = await client.explain(diabetesRequest({ baseline: null }), lab);
  expect(answer.warnings).toEqual([expect.stringContaining('no baseline was given')]);
  const zeros = { generator: { kind: 'ZERO' } };
  expect((await client.explain(diabetesRequest({ baseline: zeros }), lab)).outputs).toEqual(answer.outputs);
}, 30_000);

test('who may not ask the model gets no explanation of it; who may not change things stores no background', async () => {
  expect((await client.failure('Explain', diabetesRequest())).code).toBe('UNAUTHENTICATED');
  expect(await client.failure('Explain', diabetesRequest(), guest)).toMatchObject({
    code: 'PERMISSION_DENIED',
    details: expect.stringContaining("tenant 'guest' may not use a model called 'diabetes_mlp'") as string,
  });
  const rows = rowsOf(float32('input', [1, 10], Array<number>(10).fill(0)));
  expect((await client.failure('PutBackground', { name: 'x', rows }, guest)).code).toBe('PERMISSION_DENIED');
  expect((await client.failure('ListMethods', {}, guest)).code).toBe('OK');
  expect((await client.failure('Explain', diabetesRequest(), lab)).code).toBe('OK');
}, 30_000);
