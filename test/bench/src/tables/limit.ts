import { type Column, figure } from '@shoal/load';
import path from 'node:path';
import { outputOf } from '../child';
import { type BenchModel, type BenchModelKey, benchModels } from '../models/bench-models';
import { modelFile } from '../models/repository';
import { spread } from '../served-row';
import type { Cell, Effort, Line, Measured, OpenTable } from '../table';
import { temporaryRepository } from '../temporary-repository';

/** ONNX Runtime alone: rows a second, milliseconds a run. */
export interface Alone extends Measured {
  readonly p50: number;
  readonly p99: number;
  /** CPU microseconds a row. */
  readonly cpuUs: number;
}

/** What `loads/ort-alone` is told. */
export interface AloneJob {
  readonly file: string;
  readonly rows: number;
  readonly inputs: readonly {
    readonly name: string;
    readonly type: 'FP32' | 'INT32';
    readonly dims: readonly number[];
  }[];
  readonly effort: Effort;
}

/** Runs a model in a process with nothing but ONNX Runtime, one run after the other on one thread. */
export async function measureAlone(file: string, model: BenchModel, rows: number, effort: Effort): Promise<Alone> {
  // An open dimension gets that of the 64-byte tensor.
  const inputs = model.inputs.map((input) => ({ ...input, dims: input.dims.map((dim) => (dim < 0 ? 16 : dim)) }));
  const job: AloneJob = { file, rows, inputs, effort };
  const script = path.join(__dirname, '..', 'loads', 'ort-alone.js');
  return JSON.parse(await outputOf([process.execPath, script, JSON.stringify(job)])) as Alone;
}

const batches = [1, 16, 32];

export const limitTable = {
  name: 'limit',
  open(): Promise<OpenTable<Alone>> {
    const repository = temporaryRepository();
    const cells = (Object.keys(benchModels) as BenchModelKey[]).flatMap((key) =>
      batches.map((rows): Cell<Alone> => {
        const model = benchModels[key];
        const file = modelFile(repository.folder, model);
        return {
          name: `${model.name}, batch ${rows}`,
          measure: (effort) => measureAlone(file, model, rows, effort),
        };
      }),
    );
    const columns: Column<Line<Alone>>[] = [
      { title: 'model', cell: ({ name }) => name },
      { title: 'rows/s', cell: ({ median }) => figure(median.rate) },
      { title: 'spread', cell: ({ rates }) => spread(rates) },
      { title: 'p50 ms/run', cell: ({ median }) => figure(median.p50) },
      { title: 'p99 ms/run', cell: ({ median }) => figure(median.p99) },
      { title: 'CPU µs/row', cell: ({ median }) => figure(median.cpuUs) },
    ];
    return Promise.resolve({
      cells,
      columns,
      notes: () => ['ONNX Runtime for Node alone: one thread, no spinning, the same buffers run after run.'],
      close: () => Promise.resolve(repository.remove()),
    });
  },
};
