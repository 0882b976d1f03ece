import { cpSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type Expected, mismatch, requestOf } from '../support/expected';
import { fixtures, root } from '../support/paths';
import { TemporaryRepository } from '../support/repository';
import { type Shoal, startShoal } from '../support/shoal';

const names = ['breast_cancer', 'digits', 'simple'];

let repository: TemporaryRepository;
let shoal: Shoal;

beforeAll(async () => {
  repository = new TemporaryRepository({});
  cpSync(path.join(root, 'models'), repository.folder, { recursive: true });
  shoal = await startShoal({ repository });
}, 70_000);

afterAll(async () => {
  await shoal.stop();
  repository.delete();
}, 40_000);

test('the demo repository holds these models and nothing that fails', async () => {
  const { models } = await shoal.client.call('RepositoryIndex', {});
  expect(models.map(({ name, state, reason }) => ({ name, state, reason }))).toEqual(
    names.map((name) => ({ name, state: 'READY', reason: '' })),
  );
});

test.each(names)('%s equals the reference, alone and in shared batches', async (name) => {
  const expected = JSON.parse(readFileSync(path.join(fixtures, 'demo', `${name}.json`), 'utf8')) as Expected;
  const work = Array.from({ length: 40 }, (_, i) => expected.cases[i % expected.cases.length]!);
  for (const one of expected.cases) {
    expect(mismatch(await shoal.client.infer(requestOf(name, one)), one, expected.tolerance)).toBeUndefined();
  }
  const responses = await Promise.all(work.map((one) => shoal.client.infer(requestOf(name, one))));
  const problems = responses.map((response, i) => mismatch(response, work[i]!, expected.tolerance));
  expect(problems.filter(Boolean)).toEqual([]);
});

test('digits are named by their labels', async () => {
  const { cases } = JSON.parse(readFileSync(path.join(fixtures, 'demo', 'digits.json'), 'utf8')) as Expected;
  const response = await shoal.client.infer({
    ...requestOf('digits', cases[0]!),
    outputs: [{ name: 'probabilities', parameters: { classification: { int64_param: 1 } } }],
  });
  expect(response.outputs[0]).toMatchObject({ name: 'probabilities', datatype: 'BYTES', shape: [1, 1] });
  expect(response.raw_output_contents[0]?.subarray(4).toString()).toMatch(/^(0|1)\.\d{6}:(\d):digit \2$/);
});
