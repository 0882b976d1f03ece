import path from 'node:path';
import { type Column, figure } from '@shoal/load';
import { outputOf, type Service } from '../child';
import { type BenchModel, benchModels } from '../models/bench-models';
import { simpleGraph } from '../models/graphs';
import { writeModel } from '../models/onnx';
import { cli, runBench, startShoal } from '../shoal';
import type { Cell, Effort, Line, Measured, OpenTable } from '../table';
import { temporaryRepository } from '../temporary-repository';

/** A real load beside its simulation. Milliseconds; batches in rows. */
interface Compared extends Measured {
  readonly real: Seen;
  readonly simulated: Seen;
}

interface Seen {
  readonly p50: number;
  readonly p99: number;
  readonly batch: number;
}

interface SimulationJson {
  readonly latencyMs: { readonly p50: number; readonly p99: number };
  readonly meanBatch: number;
}

/** `simple`, as if it ran for 20 ms on a device of its own: what else the machine does hardly touches it. */
const device: BenchModel = {
  ...benchModels.simple,
  name: 'device',
  onnx: () => writeModel(simpleGraph()),
  batches: true,
  parameters: { simulated_device_us: '20000' },
};

/** Requests a second: a light load, a middle one, and one that batches must carry. */
const loads: readonly (readonly [BenchModel, readonly number[]])[] = [
  [device, [40, 150, 300]],
  [benchModels.conv, [100, 250, 400]],
];

const simulatedSecs = '300';

export const simulateTable = {
  /** One `shoal serve`; each model is profiled once, before its first load. */
  async open(say: (line: string) => void): Promise<OpenTable<Compared>> {
    const repository = temporaryRepository(loads.map(([model]) => model));
    const server = await startShoal(repository.folder, []).catch((thrown: unknown) => {
      repository.remove();
      throw thrown;
    });
    const profiles = new Map<string, Promise<string>>();
    const profileOf = ({ name }: BenchModel) => {
      const known = profiles.get(name) ?? profile(server, name, repository.folder, say);
      profiles.set(name, known);
      return known;
    };
    const cells = loads.flatMap(([model, rates]) =>
      rates.map((rate, i): Cell<Compared> => ({
        name: `${model.name}, ${rate}/s`,
        measure: async (effort) => compare(server, await profileOf(model), model, rate, i, effort),
      })),
    );
    return {
      cells,
      columns,
      notes: () => notes,
      async close() {
        await server.stop();
        repository.remove();
      },
    };
  },
};

async function profile(server: Service, model: string, folder: string, say: (line: string) => void): Promise<string> {
  say(`profiling ${model}`);
  const file = path.join(folder, `${model}.profile.json`);
  await outputOf([process.execPath, cli, 'profile', model, '--url', server.target, '--out', file]);
  return file;
}

async function compare(
  server: Service,
  profileFile: string,
  model: BenchModel,
  rate: number,
  seed: number,
  effort: Effort,
): Promise<Compared> {
  const load = ['--request-rate-range', String(rate), '--request-distribution', 'poisson', '--seed', String(seed + 1)];
  const row = await runBench(server, effort, ['-m', model.name, ...load]);
  const text = await outputOf([
    ...[process.execPath, cli, 'simulate', '--profile', profileFile, '--rate', String(rate), '--runners', '1'],
    ...['--duration-secs', simulatedSecs, '--json'],
  ]);
  const { latencyMs, meanBatch } = JSON.parse(text) as SimulationJson;
  const { p50, p99 } = row.latency;
  return {
    // The rate is what was asked for, in every round: they are ranked by how fast answers came.
    rate: 1000 / p50,
    real: { p50, p99, batch: row.server?.batch ?? Number.NaN },
    simulated: { p50: latencyMs.p50, p99: latencyMs.p99, batch: meanBatch },
  };
}

const columns: readonly Column<Line<Compared>>[] = [
  { title: 'model, load', cell: ({ name }) => name },
  { title: 'p50 ms', cell: ({ median }) => figure(median.real.p50) },
  { title: 'simulated', cell: ({ median }) => figure(median.simulated.p50) },
  { title: 'p50 off by', cell: ({ median }) => offBy(median, (seen) => seen.p50) },
  { title: 'p99 ms', cell: ({ median }) => figure(median.real.p99) },
  { title: 'simulated', cell: ({ median }) => figure(median.simulated.p99) },
  { title: 'p99 off by', cell: ({ median }) => offBy(median, (seen) => seen.p99) },
  { title: 'batch', cell: ({ median }) => figure(median.real.batch) },
  { title: 'simulated', cell: ({ median }) => figure(median.simulated.batch) },
];

function offBy({ real, simulated }: Compared, of: (seen: Seen) => number): string {
  return `${(100 * (of(simulated) / of(real) - 1)).toFixed(0)}%`;
}

const notes = [
  `One instance, Poisson arrivals; each model profiled once by \`shoal profile\`, each load simulated for ${simulatedSecs} s. device: 20 ms a run of up to 8 rows, slept through; conv: a convolutional net of 1.5 ms a row.`,
];
