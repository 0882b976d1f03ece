import { type Column, figure } from '@shoal/load';
import { questions, runExplain } from '../explained/questions';
import { spread, toServed } from '../served-row';
import { runBench, startShoal } from '../shoal';
import type { Cell, Effort, Line, Measured, OpenTable } from '../table';
import { temporaryRepository } from '../temporary-repository';

/** Rows a second that a model was asked. */
interface Asked extends Measured {
  readonly evaluations: number;
  readonly rowsPerRequest: number;
  /** CPU microseconds of a row: of the server, and of the client where that makes the requests. */
  readonly cpuUs: number;
}

/** Requests that an explanation has under way: --explain-outstanding-requests. */
const outstanding = 8;

const plainName = 'plain streaming';
const plainBackground = 'plain streaming, in the background';
const methods = ['permutation', 'kernel_shap'];

const columns: readonly Column<Line<Asked>>[] = [
  { title: 'model | how', cell: ({ name }) => name },
  { title: 'rows/s', cell: ({ median }) => figure(median.rate) },
  { title: 'spread', cell: ({ rates }) => spread(rates) },
  { title: 'evaluations/s', cell: ({ median }) => figure(median.evaluations) },
  { title: 'rows/request', cell: ({ median }) => figure(median.rowsPerRequest) },
  { title: 'CPU µs/row', cell: ({ median }) => figure(median.cpuUs) },
];

export const explainTable = {
  async open(flags: readonly string[]): Promise<OpenTable<Asked>> {
    const all = questions();
    const repository = temporaryRepository(all.map(({ model }) => model));
    const server = await startShoal(repository.folder, flags).catch((thrown: unknown) => {
      repository.remove();
      throw thrown;
    });
    const cells = all.flatMap((question): Cell<Asked>[] => {
      const { label, model, rows } = question;
      const plain = async (effort: Effort, more: readonly string[]): Promise<Asked> => {
        const load = ['-m', model.name, '-b', String(rows), '--streaming', '--streams', '1'];
        const row = await runBench(server, effort, [...load, '--concurrency-range', `${outstanding}`, ...more]);
        const { rootUs, childrenUs, clientUs } = toServed(row, server.pid);
        const cpuUs = (rootUs + childrenUs + clientUs) / rows;
        return { rate: row.inferRate, evaluations: Number.NaN, rowsPerRequest: rows, cpuUs };
      };
      return [
        { name: `${label} | ${plainName}`, measure: (effort) => plain(effort, []) },
        { name: `${label} | ${plainBackground}`, measure: (effort) => plain(effort, ['--background']) },
        ...methods.map((method): Cell<Asked> => ({
          name: `${label} | ${method}`,
          async measure(effort) {
            const job = { ...question.job, ...server, method, concurrency: 1, effort };
            const { rowsPerSecond, evaluationsPerSecond, rowsPerRequest, cpuUs } = await runExplain(job);
            return { rate: rowsPerSecond, evaluations: evaluationsPerSecond, rowsPerRequest, cpuUs };
          },
        })),
      ];
    });
    return {
      cells,
      columns,
      notes: shares,
      async close() {
        await server.stop();
        repository.remove();
      },
    };
  },
};

/** Explanations against plain inference of the same rows. */
function shares(lines: readonly Line<Asked>[]): string[] {
  return lines.flatMap(({ name, median }) => {
    const [label = '', how = ''] = name.split(' | ');
    const plain = lines.find((line) => line.name === `${label} | ${plainName}`);
    if (!plain || how === plainName) return [];
    const [rate, cpu] = [median.rate / plain.median.rate, median.cpuUs / plain.median.cpuUs];
    return [`${name}: ${figure(100 * rate)} % of the rows a second of plain streaming, ${figure(cpu)}× its CPU a row`];
  });
}
