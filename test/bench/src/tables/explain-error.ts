import { type Column, figure } from '@shoal/load';
import {
  type Estimator,
  type SamplingOptions,
  type ShapleyResult,
  type TreeModel,
  evaluateTrees,
  interventionalTrees,
  kernelShap,
  permutationShapley,
  sampledInteractions,
} from '@shoal/explain';
import { relativeError } from '../explained/relative-error';
import { type ExplainedRows, backgroundRows, marginRows, marginTrees } from '../explained/rows';
import { spread } from '../served-row';
import type { Cell, Line, Measured, OpenTable } from '../table';

/** An estimate against the exact values. */
interface Estimated extends Measured {
  /** Mean over the rows of the length of the difference, as a part of that of the exact values. */
  readonly error: number;
  /** What the standard errors said that it would be. */
  readonly claimed: number;
}

function interactions(options: SamplingOptions): Estimator<ShapleyResult> {
  return sampledInteractions({ ...options, index: 'sii' });
}

const methods: Readonly<Record<string, (options: SamplingOptions) => Estimator<ShapleyResult>>> = {
  kernel_shap: kernelShap,
  permutation: permutationShapley,
  'interactions (SII, pairs)': interactions,
};
const budgets = [128, 512, 2048, 8192];
/** Fewer say nothing of all pairs. */
const leastForPairs = 512;
/** Explained, each in each round. */
const rowCount = 3;

const columns: readonly Column<Line<Estimated>>[] = [
  { title: 'method', cell: ({ name }) => name.split(' | ')[0] ?? '' },
  { title: 'evaluations', cell: ({ name }) => name.split(' | ')[1] ?? '' },
  { title: 'error', cell: ({ median }) => `${figure(100 * median.error)} %` },
  { title: 'spread', cell: ({ rates }) => spread(rates) },
  { title: 'claimed', cell: ({ median }) => `${figure(100 * median.claimed)} %` },
];

/** Methods alone, without a server: nothing of it depends on the machine. */
export const errorTable = {
  open(): Promise<OpenTable<Estimated>> {
    const model = marginTrees();
    const rows = marginRows(model, rowCount);
    const exact = exactValues(model, rows);
    const cells = Object.entries(methods).flatMap(([name, make]) =>
      budgets
        .filter((budget) => make !== interactions || budget >= leastForPairs)
        .map((budget): Cell<Estimated> => {
          // Each round has a seed of its own.
          let seed = 0;
          return {
            name: `${name} | ${budget}`,
            measure() {
              seed++;
              let [error, claimed] = [0, 0];
              for (const [at, row] of rows.rows.entries()) {
                const estimator = make({ players: rows.features, budget, seed });
                const result = play(estimator, model, row, rows.background);
                const pairs = result.interactions?.[0];
                const values = pairs ?? result.outputs[0]?.values ?? [];
                const own = pairs ? result.interactionErrors?.[0] : result.outputs[0]?.standardErrors;
                const truth = (pairs ? exact[at]?.pairs : exact[at]?.values) ?? [];
                error += relativeError(values, truth) / rowCount;
                const length = Math.hypot(...Array.from(truth));
                claimed += Math.hypot(...Array.from(own ?? [])) / length / rowCount;
              }
              return Promise.resolve({ rate: 1 / error, error, claimed });
            },
          };
        }),
    );
    return Promise.resolve({
      cells,
      columns,
      notes: () => [
        `${rows.features} features, background ${backgroundRows}, ${rowCount} rows; the median seed’s error, against the exact values of TreeSHAP, as a part of their length.`,
      ],
      close: () => Promise.resolve(),
    });
  },
};

function exactValues(model: TreeModel, { rows, background }: ExplainedRows) {
  const trees = interventionalTrees(model, background);
  return rows.map((row) => {
    const { outputs, interactions: pairs } = trees.explain(row, 'sii');
    return { values: outputs[0]?.values ?? new Float64Array(), pairs: pairs?.[0] ?? new Float64Array() };
  });
}

/** Asks the trees what an estimator wants to know. */
function play(
  estimator: Estimator<ShapleyResult>,
  model: TreeModel,
  row: Float32Array,
  background: Float32Array,
): ShapleyResult {
  const features = row.length;
  for (let batch = estimator.next(64); batch !== undefined; batch = estimator.next(64)) {
    const values = new Float64Array(batch.count);
    for (let mask = 0; mask < batch.count; mask++) {
      const altered = background.map((value, at) => {
        const feature = at % features;
        return batch.masks[mask * features + feature] === 1 ? (row[feature] as number) : value;
      });
      for (const value of evaluateTrees(model, altered)) {
        values[mask] = (values[mask] as number) + value / backgroundRows;
      }
    }
    estimator.tell(values);
  }
  const result = estimator.result();
  if (!result) throw new Error('no result');
  return result;
}
