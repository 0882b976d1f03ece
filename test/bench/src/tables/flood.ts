import { type Column, figure } from '@shoal/load';
import { type Question, questions, runExplain } from '../explained/questions';
import { benchModels } from '../models/bench-models';
import { spread } from '../served-row';
import { runBench, startShoal } from '../shoal';
import type { Cell, Effort, Line, Measured, OpenTable } from '../table';
import { temporaryRepository } from '../temporary-repository';

/** Plain inference, with or without explanations beside it. Milliseconds. */
interface Flooded extends Measured {
  readonly p50: number;
  readonly p99: number;
  readonly failed: number;
  /** Rows a second that the explanations were given. */
  readonly explained: number;
}

/** Explanations at a time. */
const flood = 4;
/** Of each, so that it is seen how many rows they were given. */
const evaluations = 64;

/** Requests a second that come whether or not others have been answered: well below what a model can do. */
const rates: Readonly<Record<string, readonly number[]>> = {
  [benchModels.digits.name]: [50, 500],
  [benchModels.mlp.name]: [50, 300],
  [benchModels.conv.name]: [20],
};

const alone = 'no explanations';
const same = 'of the same model';
const other = 'of another model';

const columns: readonly Column<Line<Flooded>>[] = [
  { title: 'plain inference | explanations', cell: ({ name }) => name },
  { title: 'p50 ms', cell: ({ median }) => figure(median.p50) },
  { title: 'p99 ms', cell: ({ median }) => figure(median.p99) },
  { title: 'spread of p99', cell: ({ rates: found }) => spread(found) },
  { title: 'failed', cell: ({ median }) => String(median.failed) },
  { title: 'explained rows/s', cell: ({ median }) => figure(median.explained) },
];

export const floodTable = {
  async open(flags: readonly string[]): Promise<OpenTable<Flooded>> {
    const all = questions();
    const repository = temporaryRepository(all.map(({ model }) => model));
    const server = await startShoal(repository.folder, flags).catch((thrown: unknown) => {
      repository.remove();
      throw thrown;
    });
    const measure = async (name: string, rate: number, effort: Effort, question?: Question): Promise<Flooded> => {
      const load = ['-m', name, '--request-rate-range', String(rate), '--request-distribution', 'poisson'];
      const whole = { warmupSeconds: 0.1, seconds: effort.warmupSeconds + effort.seconds };
      const method = 'partition';
      const job = question && { ...question.job, ...server, method, evaluations, concurrency: flood, effort: whole };
      const [row, explained] = await Promise.all([runBench(server, effort, load), job && runExplain(job)]);
      const { p50, p99 } = row.latency;
      // The median round is that of the median p99.
      return { rate: 1 / p99, p50, p99, failed: row.failed, explained: explained?.rowsPerSecond ?? Number.NaN };
    };
    const cells = Object.entries(rates).flatMap(([name, levels]) =>
      levels.flatMap((rate): Cell<Flooded>[] => {
        const label = `${name}, ${rate}/s`;
        const own = all.find(({ model }) => model.name === name);
        const another = all.find(({ model }) => model.name !== name);
        return [
          { name: `${label} | ${alone}`, measure: (effort) => measure(name, rate, effort) },
          { name: `${label} | ${same}`, measure: (effort) => measure(name, rate, effort, own) },
          { name: `${label} | ${other}`, measure: (effort) => measure(name, rate, effort, another) },
        ];
      }),
    );
    return {
      cells,
      columns,
      notes: ratios,
      async close() {
        await server.stop();
        repository.remove();
      },
    };
  },
};

/** Latency with explanations against that without. */
function ratios(lines: readonly Line<Flooded>[]): string[] {
  return lines.flatMap(({ name, median }) => {
    const [label = '', with_ = ''] = name.split(' | ');
    const plain = lines.find((line) => line.name === `${label} | ${alone}`);
    if (!plain || with_ === alone) return [];
    const [p50, p99] = [median.p50 / plain.median.p50, median.p99 / plain.median.p99];
    return [`${label}, ${flood} explanations at a time ${with_}: p50 × ${figure(p50)}, p99 × ${figure(p99)}`];
  });
}
