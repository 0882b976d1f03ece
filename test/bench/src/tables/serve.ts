import { figure } from '@shoal/load';
import { type BenchModel, benchModels } from '../models/bench-models';
import { modelFile } from '../models/repository';
import { type Served, generatorNotes, servedColumns, toServed } from '../served-row';
import { runBench, startShoal } from '../shoal';
import type { Cell, Line, OpenTable } from '../table';
import { temporaryRepository } from '../temporary-repository';
import { measureAlone } from './limit';

/** One kind of request. */
export interface Workload {
  readonly label: string;
  readonly model: BenchModel;
  /** For `shoal bench`. */
  readonly flags: readonly string[];
  readonly inFlight: readonly number[];
  readonly streaming: boolean;
}

/** Elements of a 3×224×224 image in FP32: 602 KB. */
const image = '150528';

const { simple, identity, mlp, digits, conv } = benchModels;

/** What the whole of a server is measured with. */
export const workloads: readonly Workload[] = [
  { label: 'simple', model: simple, flags: [], inFlight: [1, 16, 64, 256], streaming: true },
  {
    label: 'identity 64 B',
    model: identity,
    flags: ['--shape', 'INPUT0:16'],
    inFlight: [1, 16, 64, 256],
    streaming: true,
  },
  {
    label: 'identity 602 KB',
    model: identity,
    flags: ['--shape', `INPUT0:${image}`],
    inFlight: [1, 4, 16],
    streaming: true,
  },
  {
    label: 'identity 602 KB in shared memory',
    model: identity,
    flags: ['--shape', `INPUT0:${image}`, '--shared-memory', 'system'],
    inFlight: [1, 4, 16],
    streaming: false,
  },
  { label: 'mlp 4×512²', model: mlp, flags: [], inFlight: [1, 16, 64, 256], streaming: true },
  { label: 'digits_cnn', model: digits, flags: [], inFlight: [1, 16, 64, 256], streaming: true },
  { label: 'conv 3×224×224', model: conv, flags: [], inFlight: [1, 4, 16], streaming: false },
];

/** The cells' names and what `shoal bench` is told for each. */
export function loadsOf(workload: Workload): { readonly name: string; readonly flags: readonly string[] }[] {
  const { label, model, flags, inFlight, streaming } = workload;
  return (streaming ? ['unary', 'stream'] : ['unary']).flatMap((call) =>
    inFlight.map((count) => ({
      name: `${label}, ${call}, ${count}`,
      flags: [
        ...['-m', model.name, '--concurrency-range', String(count), ...flags],
        ...(call === 'stream' ? ['--streaming'] : []),
      ],
    })),
  );
}

/** Models in which ONNX Runtime has something to do. */
const compared = workloads.filter(({ model }) => model.batches);

const aloneName = 'ONNX Runtime alone';

/** What the server reaches of ONNX Runtime alone. */
function shares(lines: readonly Line<Served>[]): string[] {
  return lines
    .filter(({ name }) => name.includes(aloneName))
    .map((alone) => {
      const [label = ''] = alone.name.split(', ');
      const served = lines.filter((line) => line !== alone && line.name.startsWith(`${label}, `));
      const parts = served.map(({ name, median }) => {
        return `${name.slice(label.length + 2)}: ${figure((100 * median.rate) / alone.median.rate)} %`;
      });
      return `Rows a second of those of ${alone.name}: ${parts.join('; ')}.`;
    });
}

export const serveTable = {
  name: 'serve',
  /** `flags` go to `shoal serve`, `benchFlags` to `shoal bench`. */
  async open(flags: readonly string[], benchFlags: readonly string[]): Promise<OpenTable<Served>> {
    const repository = temporaryRepository();
    const server = await startShoal(repository.folder, flags).catch((thrown: unknown) => {
      repository.remove();
      throw thrown;
    });
    const cells = workloads.flatMap(loadsOf).map(({ name, flags: load }): Cell<Served> => ({
      name,
      measure: async (effort) => toServed(await runBench(server, effort, [...load, ...benchFlags]), server.pid),
    }));
    const alone = compared.map(({ label, model }): Cell<Served> => {
      const rows = model.maxBatchSize;
      return {
        name: `${label}, ${aloneName}, batch ${rows}`,
        async measure(effort) {
          const file = modelFile(repository.folder, model);
          const { rate, p50, p99, cpuUs } = await measureAlone(file, model, rows, effort);
          const none = { rootUs: Number.NaN, clientUs: Number.NaN, p95: Number.NaN, failed: 0, generatorLimit: false };
          return { ...none, rate, p50, p99, childrenUs: cpuUs, batch: rows };
        },
      };
    });
    return {
      cells: [...cells, ...alone],
      columns: [{ title: 'load, in flight', cell: ({ name }: Line<Served>) => name }, ...servedColumns],
      notes: (lines) => [
        'server = the process with router and batching, runners = the processes that run models; CPU µs a request. ' +
          'Of ONNX Runtime alone: rows a second, ms a run.',
        ...shares(lines),
        ...generatorNotes(lines),
      ],
      async close() {
        await server.stop();
        repository.remove();
      },
    };
  },
};
