import { readdirSync } from 'node:fs';
import path from 'node:path';
import { seededRandom } from '@shoal/core';
import { type Expected, type ExpectedCase, expectedOf, mismatch, requestOf } from '../support/expected';
import { fixtures } from '../support/paths';
import { type ModelSource, fixtureModels } from '../support/repository';
import { type Shoal, startShoal } from '../support/shoal';
import type { ResponseOf } from '../support/stock-client';
import { eventually } from '../support/waiting';

/** Models that the server refuses, and what its reason must say. */
const refused: Readonly<Record<string, RegExp>> = {
  bf16_double: /BF16.*INPUT0/,
  sequence_accumulate: /sequence_batching/,
  simple_batching: /preserve_ordering/,
  simple_sequence: /sequence_batching/,
};

/** Cases whose inputs the backend cannot take; they must be refused, not answered as if the inputs had been used. */
const refusedCases: Readonly<Record<string, readonly string[]>> = { optional_inputs: ['scale', 'both'] };

/**
 * A batch of `slow_loop` runs as many rounds as the row that asks for most, so its rows may not share one;
 * `dynamic_shapes` and `optional_inputs` have no batch dimension, and `digits_cnn` batches as it is.
 */
const asTheyAre = new Set(['slow_loop', 'dynamic_shapes', 'optional_inputs', 'digits_cnn']);

const names = readdirSync(path.join(fixtures, 'models')).toSorted();
// What ragged models are given is not what clients send: see ragged.test.ts.
const inReach = names.filter((name) => !(name in refused) && !name.startsWith('ragged_'));

const models: Record<string, ModelSource> = {
  ...fixtureModels(...names),
  ...Object.fromEntries(
    inReach.filter((name) => !asTheyAre.has(name)).map((name) => [name, { append: 'dynamic_batching { }' }]),
  ),
  // Several priority levels and ordered answers exclude each other; without the order it is served.
  simple_priorities: {
    fixture: 'simple_batching',
    edit: (config) => config.replace('preserve_ordering: true', ''),
  },
};

let shoal: Shoal;
const configs = new Map<string, ResponseOf<'ModelConfig'>['config']>();

beforeAll(async () => {
  shoal = await startShoal({ models, args: ['--strict-readiness=false'], startMs: 110_000 });
  for (const name of inReach) configs.set(name, (await shoal.client.call('ModelConfig', { name })).config);
}, 120_000);

afterAll(() => shoal.stop(), 40_000);

/** What is wrong with the answer to one case, or undefined. */
async function wrong(model: string, one: ExpectedCase, { tolerance }: Expected): Promise<string | undefined> {
  const response = await shoal.client.infer(requestOf(model, one));
  const problem = mismatch(response, one, tolerance, configs.get(model) ?? undefined);
  return problem === undefined ? undefined : `${model} ${one.name}: ${problem}`;
}

function casesOf(model: string): ExpectedCase[] {
  return expectedOf(model).cases.filter(({ name }) => !refusedCases[model]?.includes(name));
}

test.each(inReach)('%s alone equals the reference', async (model) => {
  const problems: (string | undefined)[] = [];
  for (const one of casesOf(model)) problems.push(await wrong(model, one, expectedOf(model)));
  expect(problems.length).toBeGreaterThan(0);
  expect(problems.filter(Boolean)).toEqual([]);
});

test('hundreds of requests at once, mixed and batched, equal the reference', async () => {
  const seed = 20_261_124;
  const work = inReach.flatMap((model) =>
    casesOf(model).flatMap((one) => Array.from({ length: 5 }, () => ({ model, one }))),
  );
  shuffle(work, seed);
  const before = await counts();
  const problems: string[] = [];
  let next = 0;
  const client = async () => {
    for (let at = next++; at < work.length; at = next++) {
      const { model, one } = work[at]!;
      const problem = await wrong(model, one, expectedOf(model));
      if (problem !== undefined) problems.push(problem);
    }
  };
  await Promise.all(Array.from({ length: 48 }, client));
  expect({ seed, problems }).toEqual({ seed, problems: [] });
  await counted('', before.requests + work.length);
}, 60_000);

test('requests for one model that arrive together share batches, whose answers stay their own', async () => {
  const model = 'digits_mlp';
  const expected = expectedOf(model);
  const before = await counts(model);
  const many = Array.from({ length: 96 }, (_, i) => expected.cases[i % expected.cases.length]!);
  const problems = await Promise.all(many.map((one) => wrong(model, one, expected)));
  expect(problems.filter(Boolean)).toEqual([]);
  const after = await counted(model, before.requests + 96);
  expect(after.executions - before.executions).toBeLessThan(96);
});

test.each(Object.entries(refused))('%s is refused with a reason', async (model, reason) => {
  const { models: index } = await shoal.client.call('RepositoryIndex', {});
  const entry = index.find(({ name }) => name === model);
  expect(entry?.state).not.toBe('READY');
  expect(entry?.reason).toMatch(reason);
  const { ready } = await shoal.client.call('ModelReady', { name: model });
  expect(ready).toBe(false);
});

test.each(Object.entries(refusedCases).flatMap(([model, cases]) => cases.map((name) => [model, name] as const)))(
  '%s: the case %s is refused',
  async (model, name) => {
    const one = expectedOf(model).cases.find((each) => each.name === name)!;
    const { code } = await shoal.client.failure('ModelInfer', requestOf(model, one));
    expect(code).toBe('INVALID_ARGUMENT');
  },
);

test('a model with priorities is served in every level', async () => {
  const expected = expectedOf('simple_batching');
  for (const level of [0, 1, 2, 3, 9]) {
    for (const one of expected.cases) {
      const request = { ...requestOf('simple_priorities', one), parameters: { priority: { uint64_param: level } } };
      expect(mismatch(await shoal.client.infer(request), one, expected.tolerance)).toBeUndefined();
    }
  }
});

interface Counts {
  readonly requests: number;
  readonly executions: number;
}

/** The counts once they show `requests`: they follow an answer by a moment, and more would stay. */
async function counted(name: string, requests: number): Promise<Counts> {
  await eventually('the requests are counted', async () => (await counts(name)).requests >= requests);
  const after = await counts(name);
  expect(after.requests).toBe(requests);
  return after;
}

async function counts(name = ''): Promise<Counts> {
  const { model_stats: all } = await shoal.client.call('ModelStatistics', { name });
  return {
    requests: all.reduce((sum, one) => sum + (one.inference_stats?.success?.count ?? 0), 0),
    executions: all.reduce((sum, one) => sum + one.execution_count, 0),
  };
}

function shuffle<T>(list: T[], seed: number): void {
  const random = seededRandom(seed);
  for (let i = list.length - 1; i > 0; i -= 1) {
    const j = Math.floor(random.next() * (i + 1));
    [list[i], list[j]] = [list[j]!, list[i]!];
  }
}
