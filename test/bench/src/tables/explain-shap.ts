import path from 'node:path';
import { type Column, figure } from '@shoal/load';
import { outputOf } from '../child';
import { relativeError } from '../explained/relative-error';
import { questions, runExplain } from '../explained/questions';
import { exactMargins } from '../explained/rows';
import { marginModel } from '../models/margin-model';
import { modelFile } from '../models/repository';
import { projectRoot } from '../project-root';
import { spread } from '../served-row';
import { startShoal } from '../shoal';
import type { Cell, Effort, Line, Measured, OpenTable } from '../table';
import { temporaryRepository } from '../temporary-repository';

/** One explanation of one row. */
interface Explained extends Measured {
  readonly milliseconds: number;
  /** Of all processes but the client's. */
  readonly cpuMs: number;
  /** Rows that the model was asked. */
  readonly rows: number;
  /** Against the exact values: the length of the difference, as a part of theirs. */
  readonly error: number;
}

/** What `peers/shap_kernel.py` says. */
type Peer = Omit<Explained, 'error' | 'rate'> & { readonly values: readonly number[] };

const evaluations = [512, 2048];
const ours = 'Shoal, kernel_shap';
const theirs = 'shap, KernelExplainer, l1_reg=0';
const usual = 'shap, KernelExplainer as it comes';

const columns: readonly Column<Line<Explained>>[] = [
  { title: 'evaluations | by', cell: ({ name }) => name },
  { title: 'ms', cell: ({ median }) => figure(median.milliseconds) },
  { title: 'spread', cell: ({ rates }) => spread(rates) },
  { title: 'CPU ms', cell: ({ median }) => figure(median.cpuMs) },
  { title: 'rows', cell: ({ median }) => String(Math.round(median.rows)) },
  { title: 'error', cell: ({ median }) => `${figure(100 * median.error)} %` },
];

export const shapTable = {
  /** Python is that of BENCH_PYTHON, or python3. */
  async open(flags: readonly string[], say: (line: string) => void): Promise<OpenTable<Explained>> {
    const python = process.env['BENCH_PYTHON'] ?? 'python3';
    const script = path.join(projectRoot, 'test/bench/peers/shap_kernel.py');
    const there = await outputOf([python, script], 'null').then(
      () => true,
      () => false,
    );
    if (!there) say('skipped: shap: pip install shap onnxruntime in a venv, and name its python in BENCH_PYTHON');
    const [question] = questions();
    if (!question) throw new Error('there is nothing to explain');
    const exact = exactMargins();
    const repository = temporaryRepository([marginModel]);
    const server = await startShoal(repository.folder, flags).catch((thrown: unknown) => {
      repository.remove();
      throw thrown;
    });
    const peer = async (count: number, l1: boolean, effort: Effort): Promise<Explained> => {
      const { name, row, background } = question.job.input;
      const file = modelFile(repository.folder, marginModel);
      const what = { file, input: name, output: question.job.output, row, background, seed: 1 };
      const { seconds, warmupSeconds } = effort;
      const job = JSON.stringify({ ...what, evaluations: count, l1, seconds, warmupSeconds });
      const { milliseconds, cpuMs, rows, values } = JSON.parse(await outputOf([python, script], job)) as Peer;
      return { rate: 1000 / milliseconds, milliseconds, cpuMs, rows, error: relativeError(values, exact) };
    };
    const cells = evaluations.flatMap((count): Cell<Explained>[] => [
      {
        name: `${count} | ${ours}`,
        async measure(effort) {
          const job = { ...question.job, ...server, method: 'kernel_shap', evaluations: count, concurrency: 1, effort };
          const { milliseconds, values, cpuUs, rows } = await runExplain(job);
          const cpuMs = (cpuUs * rows) / 1000;
          return { rate: 1000 / milliseconds, milliseconds, cpuMs, rows, error: relativeError(values, exact) };
        },
      },
      ...(there
        ? [
            { name: `${count} | ${theirs}`, measure: (effort: Effort) => peer(count, false, effort) },
            { name: `${count} | ${usual}`, measure: (effort: Effort) => peer(count, true, effort) },
          ]
        : []),
    ]);
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

function ratios(lines: readonly Line<Explained>[]): string[] {
  return evaluations.flatMap((count) => {
    const [shoal, other] = [ours, theirs].map((who) => lines.find(({ name }) => name === `${count} | ${who}`)?.median);
    if (!shoal || !other) return [];
    const [time, cpu] = [other.milliseconds / shoal.milliseconds, other.cpuMs / shoal.cpuMs];
    const error = shoal.error / other.error;
    return [
      `${count} evaluations: shap takes ${figure(time)}× Shoal’s time and ${figure(cpu)}× its CPU; Shoal’s error is ${figure(error)}× shap’s`,
    ];
  });
}
