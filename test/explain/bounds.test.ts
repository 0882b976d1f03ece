import { ExplainClient } from '../support/explain-client';
import { diabetesRequest, rowsOf } from '../support/explain-requests';
import { type Shoal, startShoal } from '../support/shoal';
import { float32, int64, strings } from '../support/tensors';
import { eventually, sleep } from '../support/waiting';

/** Takes minutes. */
const long = { permutation: {}, budget: { max_evaluations: 1_000_000 } };
let shoal: Shoal;
let client: ExplainClient;

beforeAll(async () => {
  const models = { diabetes_mlp: {}, fails_on_poison: {}, simple_string: {}, reloaded: { fixture: 'diabetes_mlp' } };
  const explicit = ['--model-control-mode', 'explicit', '--load-model', '*'];
  const bounds = [
    '--explain-max-features',
    '16',
    '--explain-max-background-rows',
    '20',
    '--explain-max-concurrent',
    '2',
  ];
  shoal = await startShoal({ models, args: [...explicit, ...bounds, '--explain-max-rows', '3'] });
  client = new ExplainClient(shoal.address);
  await eventually('it is ready', async () => (await shoal.client.check()).status === 'SERVING', 30_000);
}, 60_000);

afterAll(async () => {
  client.close();
  await shoal.stop();
}, 40_000);

async function inferences(model: string): Promise<number> {
  const { model_stats: stats } = await shoal.client.call('ModelStatistics', { name: model });
  return stats[0]?.inference_count ?? 0;
}

/** Resolves when explaining has begun. */
async function underWay(model: string, before: number): Promise<void> {
  await eventually('predictions are made', async () => (await inferences(model)) > before + 1000);
}

/** Fails when predictions go on. */
async function stopped(model: string): Promise<void> {
  await eventually('no more predictions are made', async () => {
    const before = await inferences(model);
    await sleep(150);
    return (await inferences(model)) === before;
  });
}

test('with a deadline there is an answer before it: the best so far, flagged', async () => {
  for (const method of ['permutation', 'banzhaf']) {
    const answer = await client.explain(diabetesRequest({ ...long, permutation: undefined, [method]: {} }), {
      deadlineMs: 3000,
    });
    expect(answer).toMatchObject({ stop_reason: 'deadline', exact: false, converged: false, partial: false });
    expect(answer.outputs[0]?.values).toHaveLength(10);
    expect(Math.max(...(answer.outputs[0]?.standard_errors ?? []))).toBeGreaterThan(0);
  }
  await stopped('diabetes_mlp');
}, 60_000);

/** Takes minutes: ten curves of 4000 points over 20 rows. */
const longCurves = {
  partial_dependence: { points: 4000, uniform: true },
  budget: { max_evaluations: 1_000_000 },
};

test('of curves, what is known by the deadline', async () => {
  const answer = await client.call<{ curves: { values: number[]; row_values: number[] }[] }>(
    'Explain',
    diabetesRequest(longCurves),
    { deadlineMs: 5000 },
  );
  expect(answer).toMatchObject({ stop_reason: 'deadline', exact: false, converged: false });
  const [first] = answer.curves;
  expect(first?.values).toHaveLength(4000);
  // Point by point: those that are not known are no numbers.
  const known = answer.curves.flatMap(({ values }) => values).filter((value) => Number.isFinite(value));
  expect(known.length).toBeGreaterThan(0);
  expect(known.length).toBeLessThan(40_000);
  await stopped('diabetes_mlp');
}, 60_000);

test.each([
  ['partial_dependence', longCurves],
  // What it wants there is not, so that it goes on searching.
  [
    'anchors',
    {
      anchors: { same_within: 1e-9, precision: 0.999, tolerance: 0.001, delta: 1e-6 },
      budget: { max_evaluations: 1_000_000 },
    },
  ],
  ['a measure', { ablation: {}, quality: { infidelity_samples: 1_000_000 }, budget: { max_evaluations: 1_000_000 } }],
])(
  '%s: who cancels stops the predictions',
  async (_, more) => {
    const before = await inferences('diabetes_mlp');
    const abort = new AbortController();
    const failed = client.failure('Explain', diabetesRequest(more), { signal: abort.signal });
    await underWay('diabetes_mlp', before);
    abort.abort();
    expect(await failed).toMatchObject({ code: 'CANCELLED' });
    await stopped('diabetes_mlp');
  },
  60_000,
);

test('a stream tells what is known on the way', async () => {
  const before = await inferences('diabetes_mlp');
  const answers = await client.stream(diabetesRequest({ permutation: {}, seed: 1, budget: { max_evaluations: 4000 } }));
  expect(await inferences('diabetes_mlp')).toBeGreaterThan(before);
  expect(answers.at(-1)).toMatchObject({ partial: false, stop_reason: 'budget' });
  expect(answers.slice(0, -1).every(({ partial }) => partial)).toBe(true);
  const last = answers.at(-1)?.outputs;
  const unary = await client.explain(diabetesRequest({ permutation: {}, seed: 1, budget: { max_evaluations: 4000 } }));
  expect(last).toEqual(unary.outputs);
}, 60_000);

test.each(['Explain', 'ExplainStream'])(
  '%s: who cancels stops the predictions',
  async (name) => {
    const before = await inferences('diabetes_mlp');
    const abort = new AbortController();
    const failed =
      name === 'Explain'
        ? client.failure(name, diabetesRequest(long), { signal: abort.signal })
        : client.stream(diabetesRequest(long), { signal: abort.signal }).then(
            () => ({ code: 'OK' }),
            (thrown: { code: number }) => ({ code: thrown.code === 1 ? 'CANCELLED' : String(thrown.code) }),
          );
    await underWay('diabetes_mlp', before);
    abort.abort();
    expect(await failed).toMatchObject({ code: 'CANCELLED' });
    await stopped('diabetes_mlp');
  },
  60_000,
);

test('a failed prediction ends it with the model’s own error', async () => {
  const row = rowsOf(float32('X', [1, 1], [1]), int64('POISON', [1, 1], [0]));
  const poisoned = rowsOf(float32('X', [1, 1], [1]), int64('POISON', [1, 1], [1]));
  const own = await shoal.client.failure('ModelInfer', { model_name: 'fails_on_poison', ...poisoned });
  const request = { model_name: 'fails_on_poison', ...row, baseline: { rows: poisoned } };
  const failure = await client.failure('Explain', request);
  expect(own.code).not.toBe('OK');
  expect(failure).toEqual(own);
  // The row itself is wrong: the same words as from ModelInfer.
  const wrong = { model_name: 'diabetes_mlp', ...rowsOf(float32('input', [1, 3], [1, 2, 3])) };
  expect(await client.failure('Explain', wrong)).toEqual(await shoal.client.failure('ModelInfer', wrong));
}, 30_000);

test('a model that is unloaded or loaded anew meanwhile is a definite error', async () => {
  for (const change of ['RepositoryModelUnload', 'RepositoryModelLoad'] as const) {
    const before = await inferences('reloaded').catch(() => 0);
    const failed = client.failure('Explain', diabetesRequest({ ...long, model_name: 'reloaded' }));
    await underWay('reloaded', before);
    if (change === 'RepositoryModelLoad')
      shoal.repository.editConfig(
        'reloaded',
        (config) => `${config}\n# changed\nparameters { key: "a" value { string_value: "b" } }\n`,
      );
    await shoal.client.call(change, { model_name: 'reloaded' });
    const { code, details } = await failed;
    expect(['ABORTED', 'UNAVAILABLE', 'NOT_FOUND']).toContain(code);
    expect(details).toContain('reloaded');
    if (change === 'RepositoryModelUnload') {
      await shoal.client.call('RepositoryModelLoad', { model_name: 'reloaded' });
    }
  }
}, 90_000);

test('so many at a time, and no more', async () => {
  const abort = new AbortController();
  const before = await inferences('diabetes_mlp');
  const running = [1, 2].map(() => client.failure('Explain', diabetesRequest(long), { signal: abort.signal }));
  await underWay('diabetes_mlp', before);
  await eventually('both have begun', async () => (await client.failure('Explain', diabetesRequest())).code !== 'OK');
  expect(await client.failure('Explain', diabetesRequest())).toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
  abort.abort();
  for (const { code } of await Promise.all(running)) expect(code).toBe('CANCELLED');
  await eventually(
    'there is room again',
    async () => (await client.failure('Explain', diabetesRequest())).code === 'OK',
  );
}, 60_000);

const row = (length: number) => rowsOf(float32('input', [1, length], Array<number>(length).fill(0.1)));
test.each<readonly [string, object, string]>([
  ['no model', { model_name: '' }, 'names no model'],
  ['no inputs', { inputs: [], raw_input_contents: [] }, 'has no inputs'],
  ['an unknown data type', { inputs: [{ name: 'input', datatype: 'FP12', shape: [1, 10] }] }, "'FP12'"],
  ['a negative shape', { inputs: [{ name: 'input', datatype: 'FP32', shape: [-1, 10] }] }, 'no possible shape'],
  ['bytes that are missing', { raw_input_contents: [Buffer.alloc(3)] }, 'expected 40 bytes'],
  ['two rows', rowsOf(float32('input', [2, 10], Array<number>(20).fill(0))), 'ExplainBatch'],
  ['an input that there is not', { explained: [{ name: 'nope' }] }, "no input 'nope'"],
  ['one input twice', { explained: [{ name: 'input' }, { name: 'input' }] }, 'named twice'],
  ['groups of another length', { explained: [{ name: 'input', groups: [1, 2] }] }, '10 elements a row and 2 groups'],
  ['a grid over a vector', { explained: [{ name: 'input', grid: { rows: 2, columns: 2 } }] }, 'no such axes'],
  ['an unknown output', { output: { name: 'nope' } }, "no output 'nope'"],
  ['an index beyond', { output: { indices: { index: [1] } } }, '1 is not below 1'],
  ['a baseline of other rows', { baseline: { rows: row(3) } }, '10 elements, the baseline'],
  [
    'too many rows',
    { baseline: { rows: rowsOf(float32('input', [21, 10], Array<number>(210).fill(0))) } },
    'at most 20',
  ],
  ['a budget beyond the bound', { budget: { max_evaluations: 1_000_001 } }, 'at most 1000000'],
  ['a budget too small', { exact: {}, budget: { max_evaluations: 100 } }, '1024 evaluations, the budget is 100'],
  ['a target that is none', { budget: { target_error: 2 } }, 'budget.target_error is 2'],
  ['an epsilon that is none', { link: { function: 'LOGIT', epsilon: 0.7 } }, 'link.epsilon is 0.7'],
])('%s is refused with a sentence', async (_, change, sentence) => {
  const { code, details } = await client.failure('Explain', { ...diabetesRequest(), ...change });
  expect({ code, details }).toEqual({ code: 'INVALID_ARGUMENT', details: expect.stringContaining(sentence) as string });
});

test('bounds of features, of rows, and what cannot be taken apart', async () => {
  const wide = { model_name: 'diabetes_mlp', ...row(10), explained: [{ name: 'input' }] };
  expect((await client.failure('Explain', wide)).code).toBe('OK');
  const text = {
    model_name: 'simple_string',
    ...rowsOf(
      strings('INPUT0', [1, 16], Array<string>(16).fill('1')),
      strings('INPUT1', [1, 16], Array<string>(16).fill('2')),
    ),
  };
  expect(await client.failure('Explain', text)).toMatchObject({ code: 'INVALID_ARGUMENT' });
  const rows = { model_name: 'diabetes_mlp', ...rowsOf(float32('input', [4, 10], Array<number>(40).fill(0))) };
  expect(await client.failure('ExplainBatch', rows)).toMatchObject({
    code: 'INVALID_ARGUMENT',
    details: '4 rows, at most 3 are explained in one call',
  });
  expect(await client.failure('Explain', { ...diabetesRequest(), model_name: 'nobody' })).toMatchObject({
    code: 'NOT_FOUND',
    details: expect.stringContaining("'nobody'") as string,
  });
});
