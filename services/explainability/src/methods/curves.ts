import { accumulatedEffects, gridOf, partialDependence } from '@shoal/explain';
import { RowSource, SourceRow } from '../perturbing/row-source';
import { invalid, quoted } from '../requests/refuse';
import type { Answer, Method, MethodContext, Running } from './method';
import { dataOf, refuseUnknown, rowOf, unattributed, wholeNumbers } from './numbers';

const usualPoints = 20;
const usualIntervals = 10;
/** Of individual curves in one answer. */
const mostNumbers = 1_000_000;

/** How the output depends on one feature at a time. */
export const curveMethods: readonly Method[] = [
  {
    name: 'partial_dependence',
    summary: 'the mean output over the background as one feature takes each value of a grid; the row’s own curve (ICE)',
    needs: 'predictions',
    answers: 'curves',
    start: startDependence,
  },
  {
    name: 'accumulated_effects',
    summary: 'the same of features that depend on each other: how the output changes for rows near each value (ALE)',
    needs: 'predictions',
    answers: 'curves',
    start: startEffects,
  },
];

/** One feature's curve at work; values are [points × outputs]. */
interface CurveAtWork {
  readonly feature: number;
  readonly done: () => boolean;
  /** Undefined before there is anything. */
  result(): CurveSoFar | undefined;
}

interface CurveSoFar {
  readonly grid: Float64Array;
  readonly values: Float64Array;
  readonly standardErrors: Float64Array;
  readonly evaluations: number;
  /** Partial dependence of the row alone, [points × outputs]. */
  readonly row?: Float64Array | undefined;
  /** [rows × points × outputs] */
  readonly individual?: Float64Array | undefined;
  readonly counts?: Float64Array;
}

function startDependence(context: MethodContext): Running {
  const method = 'partial_dependence';
  const { features = [], points = 0, uniform = false, individual = false } = context.options.partial_dependence ?? {};
  const row = rowOf(context, method);
  const data = dataOf(context, method);
  const chosen = chosenFeatures(features, row.length, method);
  const grids = chosen.map((feature) => {
    return gridFor(context, data, feature, points > 0 ? points : usualPoints, uniform ? 'uniform' : 'quantile');
  });
  const evaluations = grids.reduce((sum, grid) => sum + (data.count + 1) * grid.length, 0);
  refuseBeyond(context, evaluations, method);
  const curves = grids.reduce((sum, grid) => sum + data.count * grid.length * context.output.indices.length, 0);
  if (individual && curves > mostNumbers) {
    throw invalid(`${method}.individual: ${curves} numbers, at most ${mostNumbers}: name features, or draw fewer rows`);
  }
  const { inputs } = context.players;
  const work = chosen.map((feature, at) => {
    const grid = grids[at] as Float64Array;
    const mean = partialDependence({ data, feature, grid, individual });
    const own = partialDependence({ data: { rows: row, features: row.length }, feature, grid });
    const sources = [new RowSource(own, inputs, context.link), new RowSource(mean, inputs, context.link)];
    return {
      feature,
      sources,
      done: () => mean.done && own.done,
      result() {
        const [all, one] = [mean.result(), own.result()];
        if (!all || !one) return undefined;
        const { average: values, standardErrors, individual: each } = all;
        const asked = all.evaluations + one.evaluations;
        return { grid, values, standardErrors, evaluations: asked, row: one.average, individual: each };
      },
    };
  });
  return running(
    context,
    row,
    work,
    work.flatMap(({ sources }) => sources),
  );
}

function startEffects(context: MethodContext): Running {
  const method = 'accumulated_effects';
  const { features = [], intervals = 0 } = context.options.accumulated_effects ?? {};
  const row = rowOf(context, method);
  const data = dataOf(context, method);
  const points = 1 + (intervals > 0 ? intervals : usualIntervals);
  const notes: string[] = [];
  const found = chosenFeatures(features, row.length, method).flatMap((feature) => {
    const edges = gridFor(context, data, feature, points, 'quantile');
    if (edges.length >= 2) return [{ feature, edges }];
    const name = quoted(context.players.names[feature] ?? '');
    notes.push(`${method}: feature ${name} has one value in the background, so that nothing is known of its effect`);
    return [];
  });
  if (found.length === 0) throw invalid(notes[0] ?? `${method}: there are no features`);
  refuseBeyond(context, 2 * data.count * found.length, method);
  const work = found.map(({ feature, edges }) => {
    const estimator = accumulatedEffects({ data, feature, edges });
    return {
      feature,
      source: new RowSource(estimator, context.players.inputs, context.link),
      done: () => estimator.done,
      result() {
        const all = estimator.result();
        return all && { ...all, grid: edges, values: all.effects };
      },
    };
  });
  const own = running(
    context,
    row,
    work,
    work.map(({ source }) => source),
  );
  return { ...own, notes };
}

function running(
  context: MethodContext,
  row: Float64Array,
  work: readonly CurveAtWork[],
  sources: readonly RowSource[],
): Running {
  return {
    source: new SourceRow(sources),
    answer(): Answer | undefined {
      const all = work.flatMap((one) => {
        const curve = one.result();
        return curve ? [{ ...one, curve }] : [];
      });
      if (all.length === 0) return undefined;
      const isDone = work.every((one) => one.done());
      return {
        outputs: unattributed(context),
        exact: isDone,
        converged: isDone,
        stopReason: isDone ? 'exact' : 'budget',
        evaluations: all.reduce((sum, { curve }) => sum + curve.evaluations, 0),
        fields: { curves: all.flatMap(({ feature, curve }) => messagesOf(context, feature, row, curve)) },
      };
    },
  };
}

/** shoal.explain.v1.Curve of each element of the output. */
function messagesOf(
  { output, labels }: MethodContext,
  feature: number,
  row: Float64Array,
  { grid, values, standardErrors, row: own, individual, counts }: CurveSoFar,
): object[] {
  const outputs = output.indices.length;
  return output.indices.map((index, at) => {
    const column = (all: Float64Array | undefined) => (all ? [...all.filter((_, i) => i % outputs === at)] : []);
    return {
      ...{ feature, output: output.name, index, label: labels[index] ?? '', grid: [...grid] },
      ...{ values: column(values), standard_errors: column(standardErrors), row_values: column(own) },
      ...{ row_at: row[feature], individual: column(individual), counts: [...(counts ?? [])] },
    };
  });
}

function chosenFeatures(asked: readonly number[], count: number, method: string): readonly number[] {
  refuseUnknown(asked, count, `${method}.features`);
  return asked.length > 0 ? asked : Array.from({ length: count }, (_, at) => at);
}

/** Where the feature is looked at: whole numbers for those that are. */
function gridFor(
  { players }: MethodContext,
  data: ReturnType<typeof dataOf>,
  feature: number,
  points: number,
  kind: 'quantile' | 'uniform',
): Float64Array {
  const grid = gridOf(data, feature, points, kind);
  return wholeNumbers(players.inputs)[feature] ? Float64Array.from(new Set(grid.map(Math.round))) : grid;
}

function refuseBeyond({ budget }: MethodContext, evaluations: number, method: string): void {
  if (evaluations <= budget) return;
  throw invalid(
    `${method} takes ${evaluations} evaluations here, the budget is ${budget}: name features (${method}.features), or have fewer rows drawn (baseline.sample)`,
  );
}
