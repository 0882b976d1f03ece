import { seededRandom } from '@shoal/core';
import {
  type Attribution,
  type GradientEstimator,
  type ShapleyResult,
  type TwinOptions,
  gradientShap,
  integratedGradients,
  saliency,
  smoothGrad,
} from '@shoal/explain';
import { fromNumbers } from '@shoal/tensor';
import type { Ask, AskSource } from '../perturbing/ask';
import { GradientRequests } from '../perturbing/gradient-requests';
import { writeRows } from '../perturbing/row-source';
import { invalid, quoted } from '../requests/refuse';
import type { ExplainedInput, Players } from '../requests/players';
import type { Tensor } from '../requests/tensor';
import { embedded } from './embedded';
import type { Method, MethodContext, Running } from './method';
import { numbersOf } from './numbers';

/** What gradient methods say of one output; those that are no shares of a difference have no base value. */
type Answer = Pick<Attribution, 'values' | 'standardErrors' | 'outputValue'> &
  Partial<Attribution> & { readonly evaluations: number };

type Make = (
  context: MethodContext,
  input: Float64Array,
  baselines: readonly Float64Array[],
) => GradientEstimator<Answer>;

const ofOptions = {
  integrated_gradients: ({ options: { integrated_gradients: own } }, input, baselines) =>
    integratedGradients({ input, baselines, ...(own && own.steps > 0 && { steps: own.steps }) }),
  smooth_grad: ({ options: { smooth_grad: own }, seed }, input) =>
    smoothGrad({
      input,
      sigma: own && own.sigma > 0 ? own.sigma : 0.1 * spreadOf(input),
      ...(own && own.samples > 0 && { samples: own.samples }),
      random: seededRandom(seed),
    }),
  gradient_shap: ({ options: { gradient_shap: own }, seed }, input, background) =>
    gradientShap({
      input,
      background,
      sigma: own?.sigma ?? 0,
      ...(own && own.samples > 0 && { samples: own.samples }),
      random: seededRandom(seed),
    }),
  saliency: ({ options }, input) => saliency(input, options.saliency?.times_input ? 'times_input' : 'signed'),
} satisfies Record<string, Make>;

const summaries = {
  integrated_gradients: 'gradients summed up on the way from each background row to the explained one',
  smooth_grad: 'the gradient, averaged over noisy copies of the row',
  gradient_shap: 'gradients at random points on the way from random background rows',
  saliency: 'the gradient at the row',
} as const;

/** Methods that differentiate the model: a twin of it, which also returns gradients, is served beside it. */
export const gradientMethods: readonly Method[] = (Object.keys(summaries) as (keyof typeof summaries)[]).map(
  (name) => ({
    name,
    summary: summaries[name],
    needs: 'gradients',
    ...((name === 'saliency' || name === 'smooth_grad') && { compares: false as const }),
    start: (context) => startGradient(context, ofOptions[name]),
  }),
);

/** What is differentiated by: the explained inputs themselves, or what the model looks up by token ids. */
interface Variables {
  readonly inputs: readonly ExplainedInput[];
  readonly twin: TwinOptions;
  /** All inputs of the twin, but for the weights of its output. */
  readonly wholeRow: readonly Tensor[];
  readonly row: Float64Array;
  readonly baselines: readonly Float64Array[];
}

/** @throws ShoalError INVALID_ARGUMENT, and as the twin is made and loaded */
async function startGradient(context: MethodContext, make: Make): Promise<Running> {
  const { players, output, link } = context;
  const [text] = players.texts;
  if (text) throw invalid(`input ${quoted(text.name)} is of BYTES, by which nothing can be differentiated`);
  if (link.name !== 'identity') throw invalid('gradients are of the output itself: link must be IDENTITY');
  const variables = await variablesOf(context);
  const { inputs, wholeRow, row } = variables;
  const { model, twin } = await context.twin(variables.twin);
  const baselines = variables.baselines.map((baseline) => held(inputs, baseline, row));
  // One element of the output after the other: each has gradients of its own.
  const estimators = output.indices.map(() => make(context, row, baselines));
  const source = new GradientSource(estimators, inputs);
  const requests = new GradientRequests({
    model,
    twin,
    batched: context.batched,
    row: wholeRow,
    explained: inputs,
    output,
    index: () => output.indices[source.current] as number,
  });
  const own: Players = { ...players, inputs, single: players.single && inputs === players.inputs };
  return { source, requests, answer: () => resultOf(own, estimators) };
}

async function variablesOf(context: MethodContext): Promise<Variables> {
  const { players, row, background, output, wholeRow } = context;
  const { inputs } = players;
  const whole = inputs.find(({ datatype }) => !/^(?:FP|BF)/.test(datatype));
  if (!whole) {
    const own = numbersOf(inputs, row, 1);
    const all = numbersOf(inputs, background.contents, background.count);
    const baselines = Array.from({ length: background.count }, (_, at) => {
      return all.subarray(at * own.length, (at + 1) * own.length);
    });
    return {
      inputs,
      twin: { inputs: inputs.map(({ name }) => name), output: output.name },
      wholeRow,
      row: own,
      baselines,
    };
  }
  if (inputs.length > 1) {
    throw invalid(
      `input ${quoted(whole.name)} is of ${whole.datatype}, by which nothing can be differentiated: explain it alone, by its embedding, or the others`,
    );
  }
  const found = await embedded(context, whole, 0);
  const { name, datatype, shape } = found.input;
  const tensor = { name, datatype, shape: [1, ...shape], bytes: fromNumbers(datatype, found.row) };
  return {
    inputs: [found.input],
    twin: { output: output.name, feed: name },
    wholeRow: [...wholeRow, tensor],
    row: found.row,
    baselines: found.baselines,
  };
}

/** A baseline with the row's own numbers where they belong to nobody. */
function held(inputs: readonly ExplainedInput[], baseline: Float64Array, row: Float64Array): Float64Array {
  const owners = inputs.flatMap(({ playerOf }) => [...playerOf]);
  return baseline.map((value, at) => ((owners[at] as number) < 0 ? (row[at] as number) : value));
}

/** Rows of gradient estimators, one estimator after the other. */
class GradientSource implements AskSource {
  readonly #estimators: readonly GradientEstimator<unknown>[];
  readonly #inputs: readonly ExplainedInput[];
  current = 0;

  constructor(estimators: readonly GradientEstimator<unknown>[], inputs: readonly ExplainedInput[]) {
    this.#estimators = estimators;
    this.#inputs = inputs;
  }

  get done(): boolean {
    return this.#estimators.every(({ done }) => done);
  }

  next(maxRows: number): Ask | undefined {
    // The next one begins when the last is told, since answers are read by what is differentiated at the moment.
    while (this.#estimators[this.current]?.done && this.current < this.#estimators.length - 1) this.current += 1;
    const estimator = this.#estimators[this.current];
    const batch = estimator?.next(maxRows);
    if (!estimator || !batch) return undefined;
    const { features, count } = batch;
    return {
      rows: count,
      write: (into) => writeRows(batch, this.#inputs, into),
      tell(predictions) {
        const gradients = new Float64Array(count * features);
        const values = new Float64Array(count);
        for (let row = 0; row < count; row += 1) {
          const from = row * (features + 1);
          values[row] = predictions[from] as number;
          gradients.set(predictions.subarray(from + 1, from + 1 + features), row * features);
        }
        estimator.tell({ gradients, values });
      },
    };
  }
}

function resultOf(players: Players, estimators: readonly GradientEstimator<Answer>[]): ShapleyResult | undefined {
  const answers = estimators.map((estimator) => estimator.result());
  if (!answers.every((answer) => answer !== undefined)) return undefined;
  const done = estimators.every((estimator) => estimator.done);
  const sampled = answers.some(({ standardErrors }) => standardErrors !== undefined);
  return {
    outputs: answers.map((answer) => ({
      values: byPlayer(players, answer.values, (sum, value) => sum + value),
      // Elements of one player vary together in ways that are not known.
      standardErrors:
        answer.standardErrors &&
        (players.single ? answer.standardErrors : new Float64Array(players.sizes.length).fill(Number.NaN)),
      baseValue: answer.baseValue ?? 0,
      outputValue: answer.outputValue,
      additivityGap: answer.additivityGap ?? 0,
    })),
    exact: false,
    converged: done && !sampled,
    stopReason: 'budget',
    evaluations: answers.reduce((sum, { evaluations }) => sum + evaluations, 0),
  };
}

function byPlayer(
  { inputs, sizes }: MethodContext['players'],
  values: Float64Array,
  add: (sum: number, value: number) => number,
): Float64Array {
  const own = new Float64Array(sizes.length);
  let at = 0;
  for (const { playerOf } of inputs) {
    for (const player of playerOf) {
      if (player >= 0) own[player] = add(own[player] as number, values[at] as number);
      at += 1;
    }
  }
  return own;
}

function spreadOf(values: Float64Array): number {
  return (
    values.reduce((most, value) => Math.max(most, value), -Infinity) -
    values.reduce((least, value) => Math.min(least, value), Infinity)
  );
}
