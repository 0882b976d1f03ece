import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ExplainClient } from '../support/explain-client';
import { type DiabetesFixture, diabetesRequest, explainFixture, rowsOf } from '../support/explain-requests';
import { root } from '../support/paths';
import { type Shoal, startShoal } from '../support/shoal';
import { float32, float32Output, inferRequest, int32, strings } from '../support/tensors';

interface Iris {
  readonly background: number[][];
  readonly feature_names: string[];
  readonly cases: readonly { readonly input: number[] }[];
}
const iris = JSON.parse(readFileSync(path.join(root, 'libs/explain/src/fixtures/iris-logreg.json'), 'utf8')) as Iris;
const topics = explainFixture<{ readonly cases: readonly { readonly text: string }[] }>('package-topic');
const diabetes = explainFixture<DiabetesFixture>('diabetes-mlp');
const flower = iris.cases[0]?.input as number[];
let shoal: Shoal;
let client: ExplainClient;

beforeAll(async () => {
  shoal = await startShoal({ models: { iris_logreg: {}, diabetes_mlp: {}, package_topic: {}, simple: {} } });
  client = new ExplainClient(shoal.address);
}, 60_000);

afterAll(async () => {
  client.close();
  await shoal.stop();
}, 40_000);

function irisRequest(more: object) {
  return {
    model_name: 'iris_logreg',
    ...rowsOf(float32('input', [1, 4], flower)),
    explained: [{ name: 'input', feature_names: iris.feature_names }],
    baseline: { rows: rowsOf(float32('input', [iris.background.length, 4], iris.background.flat())) },
    output: { name: 'probabilities' },
    seed: 9,
    ...more,
  };
}

/** The model's own answers, asked one after the other beside the explanation: [rows × 3]. */
async function probabilities(rows: readonly (readonly number[])[]): Promise<number[][]> {
  const answer = await shoal.client.infer(
    inferRequest('iris_logreg', [float32('input', [rows.length, 4], rows.flat())]),
  );
  const all = float32Output(answer, 'probabilities');
  return rows.map((_, at) => all.slice(at * 3, at * 3 + 3));
}

const largest = (values: readonly number[]) => values.indexOf(Math.max(...values));

interface Rule {
  readonly outputs: readonly { readonly values: number[]; readonly output_value: number }[];
  readonly converged: boolean;
  readonly stop_reason: string;
  readonly warnings: readonly string[];
  readonly features: readonly { readonly name: string }[];
  readonly usage: { readonly evaluations: number; readonly rows: number };
  readonly anchor: {
    readonly predicates: readonly { feature: number; above?: number; up_to?: number; equal?: number }[];
    readonly precision: number;
    readonly lower: number;
    readonly upper: number;
    readonly coverage: number;
    readonly samples: number;
    readonly answer: number;
    readonly label: string;
    readonly found: boolean;
  };
}

describe('anchors', () => {
  const explain = (request: object) => client.call<Rule>('Explain', request);
  const holds = ({ anchor }: Rule, row: readonly number[]) =>
    anchor.predicates.every(({ feature, above = -Infinity, up_to: upTo = Infinity }) => {
      const value = row[feature] as number;
      return value > above && value <= upTo;
    });

  test('a rule of a table holds for the row, covers what it says, and is as precise as it says', async () => {
    const answer = await explain(irisRequest({ anchors: {} }));
    const { anchor } = answer;
    expect(answer).toMatchObject({ converged: true, stop_reason: 'target_error', warnings: [] });
    expect(answer.outputs).toMatchObject([{ values: [], output_value: expect.closeTo(0.9715, 3) }]);
    expect(anchor).toMatchObject({ found: true, answer: 0, label: 'setosa' });
    expect(anchor.predicates.length).toBeGreaterThan(0);
    expect(holds(answer, flower)).toBe(true);
    const covered = iris.background.filter((row) => holds(answer, row));
    expect(anchor.coverage).toBeCloseTo(covered.length / iris.background.length, 9);
    expect(anchor.lower).toBeLessThanOrEqual(anchor.precision);
    expect(anchor.upper).toBeGreaterThanOrEqual(anchor.precision);
    // Every row of the background with the rule's features taken from every row for which each holds: the true precision.
    const single = anchor.predicates.map(({ feature, above = -Infinity, up_to: upTo = Infinity }) => {
      const values = iris.background.map((row) => row[feature] as number);
      return { feature, inside: values.filter((value) => value > above && value <= upTo), above, upTo };
    });
    let rows = iris.background.map((row) => [...row]);
    for (const { feature, inside, above, upTo } of single) {
      rows = rows.flatMap((row) => {
        const value = row[feature] as number;
        if (value > above && value <= upTo) return inside.map(() => row);
        return inside.map((other) => row.map((own, at) => (at === feature ? other : own)));
      });
    }
    const chunks = Array.from({ length: Math.ceil(rows.length / 50) }, (_, i) => rows.slice(i * 50, i * 50 + 50));
    const said = (await Promise.all(chunks.map(probabilities))).flat();
    const precision = said.filter((one) => largest(one) === 0).length / said.length;
    expect(precision).toBeGreaterThanOrEqual(anchor.lower - 0.02);
    expect(precision).toBeLessThanOrEqual(anchor.upper + 0.02);
  }, 60_000);

  test('the same for the same seed; a rule of one number needs to be told what is the same', async () => {
    const request = diabetesRequest({ anchors: { same_within: 0.5, max_size: 3 }, seed: 4 });
    const [one, again] = await Promise.all([explain(request), explain({ ...request, row_batch: 7 })]);
    expect(again.anchor).toEqual(one.anchor);
    expect(one.anchor.predicates.length).toBeLessThanOrEqual(3);
    expect(await client.failure('Explain', diabetesRequest({ anchors: {} }))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      details: expect.stringContaining('is one number and no probability'),
    });
  }, 60_000);

  test.each(topics.cases.map(({ text }) => text))(
    'of the text "%s": words that must be there',
    async (text) => {
      const request = { model_name: 'package_topic', ...rowsOf(strings('text', [1, 1], [text])), seed: 1 };
      const options = { output: { name: 'probabilities' }, anchors: { precision: 0.99, tolerance: 0.02 } };
      const answer = await explain({ ...request, ...options });
      const { anchor } = answer;
      const rule = anchor.predicates.map(({ feature }) => feature);
      expect(anchor).toMatchObject({ found: true, coverage: 2 ** -rule.length });
      expect(anchor.predicates.every((one) => one.above === undefined && one.up_to === undefined)).toBe(true);
      expect(rule.length).toBeGreaterThan(0);
      // All texts that are left when words go, but those of the rule.
      const words = text.split(' ');
      const texts = Array.from({ length: 2 ** words.length }, (_, set) => {
        return words.filter((_word, at) => rule.includes(at) || (set >> at) % 2 === 1).join(' ');
      });
      let same = 0;
      for (let from = 0; from < texts.length; from += 32) {
        const some = texts.slice(from, from + 32);
        const said = await shoal.client.infer(inferRequest('package_topic', [strings('text', [some.length, 1], some)]));
        const all = float32Output(said, 'probabilities');
        same += some.filter((_, at) => largest(all.slice(at * 8, at * 8 + 8)) === anchor.answer).length;
      }
      expect(same / texts.length).toBeGreaterThanOrEqual(anchor.lower - 0.01);
      expect(same / texts.length).toBeLessThanOrEqual(anchor.upper + 0.01);
    },
    60_000,
  );

  test('a category is that of the row', async () => {
    // Of twenty flowers, petal widths as names: the row's own, and no range.
    const answer = await explain(irisRequest({ anchors: { categorical: [0, 1, 2, 3] } }));
    expect(answer.anchor.predicates.length).toBeGreaterThan(0);
    for (const { feature, equal, above, up_to: upTo } of answer.anchor.predicates) {
      expect([equal, above, upTo]).toEqual([expect.closeTo(flower[feature] as number, 6), undefined, undefined]);
    }
  }, 60_000);

  test('a budget that is too small for one ends with the best that there is, and says so', async () => {
    const answer = await explain(
      irisRequest({ anchors: { precision: 0.999, tolerance: 0.01 }, budget: { max_evaluations: 60 } }),
    );
    expect(answer).toMatchObject({ converged: false, stop_reason: 'budget', anchor: { found: false } });
    expect(answer.warnings).toEqual([expect.stringContaining('the most precise one')]);
    expect(answer.usage.evaluations).toBeLessThanOrEqual(60);
  }, 60_000);

  test.each([
    ['precision beyond 1', { precision: 1.5 }, 'anchors.precision is 1.5'],
    ['an unknown category', { categorical: [9] }, 'there is no feature 9, but 4 of them'],
    ['one bin', { bins: 1 }, 'expected 2 or more'],
  ])('%s is refused', async (_, anchors, why) => {
    const failure = await client.failure('Explain', irisRequest({ anchors }));
    expect(failure).toMatchObject({ code: 'INVALID_ARGUMENT', details: expect.stringContaining(why) });
  });
});

interface Found {
  readonly converged: boolean;
  readonly warnings: readonly string[];
  readonly usage: { readonly evaluations: number };
  readonly counterfactuals: {
    readonly wanted: string;
    readonly already: boolean;
    readonly rows: readonly { values: number[]; changed: number[]; output: number[]; distance: number }[];
  };
}

describe('counterfactuals', () => {
  const explain = (more: object) => client.call<Found>('Explain', irisRequest(more));

  test('the model says of each row what was wanted, nearest first, and what must not change does not', async () => {
    const rules = [
      { feature: 0, fixed: true },
      { feature: 3, values: [0.2, 1.4, 2.1] },
    ];
    const answer = await explain({ counterfactuals: { count: 3, target: 2, rules } });
    const { rows, wanted, already } = answer.counterfactuals;
    expect(wanted).toBe('probabilities[2] (virginica) is the largest');
    expect(already).toBe(false);
    expect(rows).toHaveLength(3);
    const said = await probabilities(rows.map(({ values }) => values));
    for (const [at, { values, changed, output }] of rows.entries()) {
      expect(said[at]).toEqual(output);
      expect(largest(output)).toBe(2);
      expect(values[0]).toBe(Math.fround(flower[0] as number));
      expect([0.2, 1.4, 2.1].map(Math.fround)).toContain(values[3]);
      expect(changed).toEqual(
        [0, 1, 2, 3].filter((f) => Math.abs((values[f] as number) - (flower[f] as number)) > 1e-6),
      );
    }
  }, 60_000);

  test('what may not change does not, though it is what would change first', async () => {
    const free = await explain({ counterfactuals: { count: 3 } });
    const first = free.counterfactuals.rows[0]?.changed[0] ?? 0;
    const held = await explain({ counterfactuals: { count: 3, rules: [{ feature: first, fixed: true }] } });
    expect(held.counterfactuals.rows).toHaveLength(3);
    for (const { changed, values } of held.counterfactuals.rows) {
      expect(changed).not.toContain(first);
      expect(values[first]).toBe(Math.fround(flower[first] as number));
    }
  }, 60_000);

  test('the same whatever is under way; without a target the second class; a tolerance is nearer to certain', async () => {
    const one = await explain({ counterfactuals: {} });
    const cut = await explain({ counterfactuals: {}, row_batch: 3 });
    expect(cut.counterfactuals).toEqual(one.counterfactuals);
    expect(one.counterfactuals.wanted).toContain('(versicolor) is the largest');
    const sure = await explain({ counterfactuals: { tolerance: 0.1 } });
    expect(sure.counterfactuals.wanted).toContain('(versicolor) at least 0.9');
    for (const { output } of sure.counterfactuals.rows) expect(output[1]).toBeGreaterThanOrEqual(0.9);
    expect(sure.counterfactuals.rows.length).toBe(1);
    const already = await explain({ counterfactuals: { target: 0 } });
    expect(already.counterfactuals).toMatchObject({ already: true, rows: [] });
    expect(already.warnings[0]).toContain('says so already');
  }, 60_000);

  test('of one number: a range', async () => {
    const own = diabetes.cases[0]?.output as unknown as number[];
    const high = (own[0] as number) - 0.5;
    const answer = await client.call<Found>('Explain', diabetesRequest({ counterfactuals: { high }, seed: 2 }));
    expect(answer.counterfactuals.rows[0]?.output[0]).toBeLessThanOrEqual(high);
    const failure = await client.failure('Explain', diabetesRequest({ counterfactuals: {} }));
    expect(failure.details).toContain('say in which range it is to lie');
  }, 60_000);

  test('of whole numbers: whole numbers', async () => {
    const values = (add: number) => Array.from({ length: 16 }, (_, at) => at + add);
    const typical = (name: string) => int32(name, [2, 16], [...values(-4), ...values(4)]);
    const request = {
      model_name: 'simple',
      ...rowsOf(int32('INPUT0', [1, 16], values(0)), int32('INPUT1', [1, 16], values(0))),
      baseline: { rows: rowsOf(typical('INPUT0'), typical('INPUT1')) },
      output: { name: 'OUTPUT0' },
      counterfactuals: { target: 12 },
      seed: 3,
    };
    const answer = await client.call<Found>('Explain', request);
    const [found] = answer.counterfactuals.rows;
    expect(found?.values).toHaveLength(32);
    expect(found?.values.every((value) => Number.isInteger(value))).toBe(true);
    const sums = values(0).map((_, at) => (found?.values[at] ?? NaN) + (found?.values[16 + at] ?? NaN));
    expect(found?.output).toEqual(sums);
    expect(largest(sums)).toBe(12);
  }, 60_000);

  test('without typical rows nobody knows what may be', async () => {
    const failure = await client.failure('Explain', irisRequest({ baseline: null, counterfactuals: {} }));
    expect(failure).toMatchObject({
      code: 'INVALID_ARGUMENT',
      details: expect.stringContaining('a rule with low and high'),
    });
  }, 60_000);
});
