import { type RiseResult, type RowBatch, type RowEstimator, rise } from '@shoal/explain';
import { toNumbers } from '@shoal/tensor';
import { RowSource } from '../perturbing/row-source';
import { type ImageView, imageOf } from '../requests/image-view';
import { invalid } from '../requests/refuse';
import type { Answer, Method, MethodContext, Running } from './method';
import { imageInput, imageOfInput, meanByPlayer } from './pixels';

const usualMasks = 2_000;

/** Where an image may be hidden without harm, and where not. */
export const riseMethods: readonly Method[] = [
  {
    name: 'rise',
    summary: 'the mean output where a pixel is visible through random smooth masks, as a map of an image',
    needs: 'predictions',
    answers: 'map',
    start,
  },
];

function start(context: MethodContext): Running {
  const { players, background, budget, seed, link, row } = context;
  const { masks = 0, cells = 0, present = 0 } = context.options.rise ?? {};
  const input = imageInput(context, 'rise');
  const view = imageOfInput(input, 'rise');
  if (background.count > 1) {
    throw invalid('rise fades hidden parts into one row: have the baseline averaged (baseline.summarize = 1)');
  }
  if (masks > budget) throw invalid(`rise.masks: ${masks} are more than the budget of ${budget} evaluations`);
  if (!(present >= 0 && present < 1)) throw invalid(`rise.present is ${present}: expected a probability below 1`);
  const { datatype } = input;
  const estimator = rise({
    image: imageOf(view, toNumbers(datatype, row[0] as Uint8Array)),
    baseline: imageOf(view, toNumbers(datatype, background.contents[0] as Uint8Array)).values,
    masks: masks > 0 ? masks : Math.min(budget, usualMasks),
    ...(cells > 0 && { cells }),
    ...(present > 0 && { visible: present }),
    seed,
  });
  return {
    source: new RowSource(laidOut(estimator, view), players.inputs, link),
    answer() {
      const found = estimator.result();
      return found && answerOf(context, found);
    },
  };
}

/** Rows in the input's own layout: the estimator's have a pixel's channels beside each other. */
function laidOut(estimator: RowEstimator<RiseResult>, { elementOf }: ImageView): RowEstimator<RiseResult> {
  return {
    get done() {
      return estimator.done;
    },
    next(max): RowBatch | undefined {
      const batch = estimator.next(max);
      if (!batch) return undefined;
      const rows = new Float64Array(batch.rows.length);
      for (let from = 0; from < rows.length; from += batch.features) {
        for (let at = 0; at < batch.features; at += 1) {
          rows[from + (elementOf[at] as number)] = batch.rows[from + at] as number;
        }
      }
      return { ...batch, rows };
    },
    tell: (values) => estimator.tell(values),
    result: () => estimator.result(),
  };
}

function answerOf(context: MethodContext, { maps, standardErrors, evaluations }: RiseResult): Answer {
  const { players, ends, targetError } = context;
  const input = imageInput(context, 'rise');
  const view = imageOfInput(input, 'rise');
  const { height, width } = view;
  // A feature of several pixels has an error that does not follow from theirs.
  const isPixels = players.single && view.channels === 1;
  const worst = maps.map((map, at) => worstError(map, standardErrors[at] as Float64Array));
  const isReached = targetError !== undefined && worst.every((error) => error <= targetError);
  return {
    outputs: maps.map((map, at) => ({
      values: meanByPlayer(players, input, view, map),
      standardErrors: isPixels
        ? meanByPlayer(players, input, view, standardErrors[at] as Float64Array)
        : new Float64Array(players.sizes.length).fill(Number.NaN),
      baseValue: 0,
      outputValue: ends.full[at] as number,
      additivityGap: 0,
    })),
    maps: maps.map((values, at) => ({ height, width, values, standardErrors: standardErrors[at] as Float64Array })),
    exact: false,
    converged: isReached,
    stopReason: 'budget',
    evaluations,
  };
}

/** The largest error as a part of the map's range. */
function worstError(map: Float64Array, errors: Float64Array): number {
  let [low, high, worst] = [Infinity, -Infinity, 0];
  for (const [at, value] of map.entries()) {
    [low, high] = [Math.min(low, value), Math.max(high, value)];
    worst = Math.max(worst, errors[at] as number);
  }
  return worst / (high - low);
}
