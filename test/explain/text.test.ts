import { ExplainClient } from '../support/explain-client';
import { explainFixture, rowsOf } from '../support/explain-requests';
import { type Shoal, startShoal } from '../support/shoal';
import { int64, strings } from '../support/tensors';

interface Words {
  readonly tolerance: number;
  readonly cases: readonly {
    readonly text: string;
    readonly words: string[];
    readonly explained_class: number;
    readonly output: number[];
    readonly base: number[];
    readonly shapley: number[][];
    readonly ablation: number[][];
  }[];
}
interface Tokens {
  readonly tolerance: number;
  readonly cases: readonly {
    readonly input_ids: number[];
    readonly tokens: string[];
    readonly players: number[];
    readonly base: number[];
    readonly shapley: number[][];
    readonly ablation_by_mask: number[][];
    readonly ablation_by_mask_token: number[][];
    readonly explained_class: number;
    readonly integrated_gradients: { per_token: number[]; baseline_output: number; tolerance: number };
  }[];
}
const words = explainFixture<Words>('package-topic');
const tokens = explainFixture<Tokens>('package-topic-tokens');
let shoal: Shoal;
let client: ExplainClient;

beforeAll(async () => {
  shoal = await startShoal({ models: { package_topic: {}, package_topic_tokens: {} } });
  client = new ExplainClient(shoal.address);
}, 60_000);

afterAll(async () => {
  client.close();
  await shoal.stop();
}, 40_000);

const all = { output: { name: 'probabilities', all: true } };

function textRequest(text: string, more: object = {}) {
  return { model_name: 'package_topic', ...rowsOf(strings('text', [1, 1], [text])), ...all, ...more };
}

function expectClose(got: readonly number[] | undefined, want: readonly number[], tolerance: number): void {
  expect(got).toHaveLength(want.length);
  want.forEach((value, at) => expect(Math.abs((got?.[at] ?? NaN) - value)).toBeLessThanOrEqual(tolerance));
}

test('a text is explained by its words, an absent word being left out', async () => {
  for (const one of words.cases) {
    const answer = await client.explain(textRequest(one.text));
    expect(answer).toMatchObject({ method: 'exact', exact: true, warnings: [] });
    expect(answer.reason).toBe(`${one.words.length} words: all ${2 ** one.words.length} coalitions can be evaluated`);
    expect(answer.features.map(({ name, input }) => [name, input])).toEqual(one.words.map((word) => [word, 'text']));
    for (const { index, values, base_value: base } of answer.outputs) {
      const of = (table: number[][]) => table.map((row) => row[index] as number);
      expectClose(values, of(one.shapley), words.tolerance);
      expectClose([base], [one.base[index] as number], words.tolerance);
    }
    const ablation = await client.explain(textRequest(one.text, { ablation: {} }));
    for (const { index, values } of ablation.outputs) {
      expectClose(
        values,
        one.ablation.map((row) => row[index] as number),
        words.tolerance,
      );
    }
  }
}, 60_000);

test('words in groups, words that stay, pieces of one’s own, and a mask', async () => {
  const text = 'a chess engine with a graphical board ';
  const explained = (more: object) => textRequest(text, { explained: [{ name: 'text', ...more }] });
  const grouped = await client.explain(explained({ groups: [0, 1, 1, 0, 0, 2, 2] }));
  expect(grouped.features.map(({ name, elements }) => [name, elements])).toEqual([
    ['a with a', 3],
    ['chess engine', 2],
    ['graphical board', 2],
  ]);
  const still = await client.explain(explained({ fixed: [1, 2], ablation: {} }));
  expect(still.features.map(({ name }) => name)).toEqual(['a', 'with', 'a', 'graphical', 'board']);
  const halves = { pieces: ['a chess engine', ' with a graphical board '] };
  const pieces = await client.explain(explained({ text: halves }));
  expect(pieces.features.map(({ name }) => name)).toEqual(['a chess engine', 'with a graphical board']);
  const removed = await client.explain(explained({}));
  const masked = await client.explain(explained({ text: { mask: 'science' } }));
  expect(masked.outputs[0]?.output_value).toBe(removed.outputs[0]?.output_value);
  expect(masked.outputs[0]?.base_value).not.toBe(removed.outputs[0]?.base_value);
  expect(masked.background.sha256).not.toBe(removed.background.sha256);
}, 60_000);

test('the same players for all methods: sampled values near the exact ones, a model of presence, windows of words', async () => {
  const [one] = words.cases;
  const output = { name: 'probabilities', indices: { index: [one?.explained_class ?? 0] } };
  const ask = (more: object) => client.explain(textRequest(one?.text ?? '', { output, seed: 5, ...more }));
  const want = one?.shapley.map((row) => row[one.explained_class] as number) ?? [];
  for (const method of ['kernel_shap', 'permutation']) {
    const answer = await ask({ [method]: {}, budget: { max_evaluations: 600 } });
    for (const [at, value] of want.entries()) {
      const error = answer.outputs[0]?.standard_errors[at] ?? 0;
      expect(Math.abs((answer.outputs[0]?.values[at] ?? NaN) - value)).toBeLessThanOrEqual(words.tolerance + 5 * error);
    }
  }
  const [lime, again] = [await ask({ lime: { samples: 300 } }), await ask({ lime: { samples: 300 } })];
  expect(lime.outputs).toEqual(again.outputs);
  const best = lime.outputs[0]?.values.indexOf(Math.max(...(lime.outputs[0]?.values ?? [])));
  expect(best).toBe(want.indexOf(Math.max(...want)));
  const windows = await ask({ occlusion: { window: [2] } });
  expect(windows.usage.evaluations).toBe(2 + want.length - 1);
}, 60_000);

test('rows of a batch of texts have words of their own', async () => {
  const texts = words.cases.map(({ text }) => text);
  const request = { ...textRequest(''), ...rowsOf(strings('text', [texts.length, 1], texts)) };
  const { explanations } = await client.call<{ explanations: { features: object[]; outputs: object[] }[] }>(
    'ExplainBatch',
    request,
  );
  const alone = await Promise.all(texts.map((text) => client.explain(textRequest(text))));
  expect(explanations.map(({ outputs }) => outputs)).toEqual(alone.map(({ outputs }) => outputs));
}, 60_000);

describe('token positions', () => {
  const request = (one: Tokens['cases'][number], more: object) => {
    const count = one.input_ids.length;
    return {
      model_name: 'package_topic_tokens',
      ...rowsOf(
        int64('input_ids', [1, count], one.input_ids),
        int64('attention_mask', [1, count], Array<number>(count).fill(1)),
      ),
      output: { name: 'logits', all: true },
      ...more,
    };
  };
  const special = (one: Tokens['cases'][number]) =>
    one.input_ids.flatMap((_, at) => (one.players.includes(at) ? [] : [at]));

  test('absent where the attention mask is 0, as the reference has it; special tokens stay', async () => {
    for (const one of tokens.cases) {
      const explained = [{ name: 'attention_mask', feature_names: one.tokens, fixed: special(one) }];
      const baseline = { generator: { kind: 'ZERO' } };
      const answer = await client.explain(request(one, { explained, baseline }));
      expect(answer.features.map(({ name }) => name)).toEqual(one.players.map((at) => one.tokens[at]));
      const ablation = await client.explain(request(one, { explained, baseline, ablation: {} }));
      for (const [at, { index, values }] of answer.outputs.entries()) {
        const of = (table: number[][]) => table.map((row) => row[index] as number);
        expectClose(values, of(one.shapley), tokens.tolerance);
        expectClose(ablation.outputs[at]?.values, of(one.ablation_by_mask), tokens.tolerance);
      }
    }
  }, 60_000);

  test('replaced by the id of a mask token', async () => {
    const [one] = tokens.cases as [Tokens['cases'][number]];
    const explained = [{ name: 'input_ids', fixed: special(one) }];
    const baseline = { generator: { kind: 'CONSTANT', value: 4 } };
    const { outputs } = await client.explain(request(one, { explained, baseline, ablation: {} }));
    expect(outputs).toHaveLength(8);
    for (const { index, values } of outputs) {
      const want = one.ablation_by_mask_token.map((row) => row[index] as number);
      expectClose(values, want, tokens.tolerance);
    }
  }, 60_000);

  test('integrated gradients by embeddings, from that of [PAD]', async () => {
    for (const one of tokens.cases) {
      const explained = [{ name: 'input_ids', feature_names: one.tokens, fixed: special(one) }];
      const output = { name: 'logits', indices: { index: [one.explained_class] } };
      const options = { explained, output, baseline: { generator: { kind: 'ZERO' } } };
      const { tolerance, per_token: want, baseline_output: base } = one.integrated_gradients;
      const answer = await client.explain(request(one, { ...options, integrated_gradients: { steps: 200 } }));
      expectClose(
        answer.outputs[0]?.values,
        one.players.map((at) => want[at] as number),
        5 * tolerance,
      );
      expectClose([answer.outputs[0]?.base_value ?? NaN], [base], 1e-4);
      const saliency = await client.explain(request(one, { ...options, saliency: { times_input: true } }));
      expect(saliency.outputs[0]?.values).toHaveLength(one.players.length);
    }
    const [one] = tokens.cases as [Tokens['cases'][number]];
    const mask = { explained: [{ name: 'attention_mask' }], saliency: {} };
    const failure = await client.failure('Explain', request(one, { ...mask, output: { name: 'logits' } }));
    expect(failure).toMatchObject({
      code: 'FAILED_PRECONDITION',
      details: expect.stringContaining('no table of embeddings'),
    });
  }, 60_000);

  test('taken out of the sequence: as if they had never been there', async () => {
    const [one] = tokens.cases as [Tokens['cases'][number]];
    const groups = one.input_ids.map((_, at) => at);
    const explained = ['input_ids', 'attention_mask'].map((name) => {
      return { name, groups, fixed: special(one), removal: { padding: 0 } };
    });
    const answer = await client.explain(request(one, { explained, ablation: {} }));
    expect(answer.warnings).toEqual([]);
    // Without the last word, and the end filled up, it is the shorter sequence: padding is not attended to.
    const shorter = one.input_ids.filter((_, at) => at !== one.players.at(-1));
    const alone = await client.explain(request({ ...one, input_ids: shorter }, { ablation: {} }));
    for (const [at, { values, output_value: whole }] of answer.outputs.entries()) {
      expectClose([whole - (values.at(-1) ?? NaN)], [alone.outputs[at]?.output_value ?? NaN], 1e-4);
    }
  }, 60_000);
});

test('what cannot be divided is refused in a sentence', async () => {
  const explained = (more: object) => textRequest('two words', { explained: [{ name: 'text', ...more }] });
  const refused = async (request: object) => {
    const { code, details } = await client.failure('Explain', request);
    expect(code).toBe('INVALID_ARGUMENT');
    return details;
  };
  expect(await refused(textRequest('   '))).toBe('what is explained has no elements that could be absent');
  expect(await refused(explained({ groups: [1] }))).toBe("explained: input 'text' has 2 words and 1 groups");
  expect(await refused(explained({ fixed: [2] }))).toContain('has no element 2 that could be fixed');
  expect(await refused(explained({ text: { pieces: ['two', 'words'] } }))).toContain('one after the other');
  expect(await refused(explained({ grid: { rows: 1, columns: 1 } }))).toContain('is of BYTES, which has neither grid');
  expect(await refused(textRequest('a b', { baseline: { sample: 1 } }))).toContain('texts have no other baseline');
  expect(await refused(textRequest('a b', { saliency: {} }))).toContain('by which nothing can be differentiated');
}, 60_000);
