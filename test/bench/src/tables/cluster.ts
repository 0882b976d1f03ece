import path from 'node:path';
import { type BenchRow, type Column, figure } from '@shoal/load';
import { type Service, startService } from '../child';
import { type BenchModel, benchModels } from '../models/bench-models';
import { simpleGraph } from '../models/graphs';
import { writeModel } from '../models/onnx';
import { spread } from '../served-row';
import { runBench, startShoal } from '../shoal';
import type { Cell, Effort, Line, Measured, OpenTable } from '../table';
import { temporaryRepository } from '../temporary-repository';

/** Which process is what. */
interface ClusterPids {
  readonly nats: number;
  readonly batching: number;
  readonly router: number;
  readonly workers: readonly number[];
}

interface Cluster {
  readonly service: Service;
  readonly target: string;
  readonly pids: ClusterPids;
}

/** What a load on one process or on a cluster showed. Milliseconds; CPU in microseconds a request. */
interface ClusterRow extends Measured {
  readonly p50: number;
  readonly p99: number;
  readonly batch: number;
  /** Of the router; in one process of router and batching together. */
  readonly routerUs: number;
  /** Of the batching process; NaN in one process. */
  readonly batchingUs: number;
  readonly runnersUs: number;
  /** Of NATS and of the model-workers, which have no part in a request. */
  readonly othersUs: number;
  readonly failed: number;
}

/** A run of the simulated device, and of how many rows. */
const deviceMs = 20;
const deviceRows = 8;

/** The most runners that serve one model. */
const mostRunners = 4;

/** Enough in flight for all runners, each with a batch that runs and one that waits. */
const deviceInFlight = 2 * deviceRows * mostRunners;

/** `simple`, as if it ran for 20 ms on a device of its own; the runner sleeps meanwhile. */
function deviceModel(runners: number): BenchModel {
  return {
    ...benchModels.simple,
    name: `device_${runners}`,
    onnx: () => writeModel(simpleGraph()),
    maxBatchSize: deviceRows,
    batches: true,
    parameters: { simulated_device_us: String(deviceMs * 1000) },
  };
}

const compared = [benchModels.simple, benchModels.digits];
const inFlight = [1, 16, 64];
const formOf = { one: 'one process', cluster: 'cluster' } as const;
const counts = Array.from({ length: mostRunners }, (_, i) => i + 1);

async function startCluster(repositories: readonly string[]): Promise<Cluster> {
  const host = path.join(__dirname, '..', 'servers', 'cluster.js');
  const service = await startService([process.execPath, host, ...repositories], /cluster (\{.*\})\n/);
  const { target, pids } = JSON.parse(service.target) as { target: string; pids: ClusterPids };
  return { service, target, pids };
}

function rowOf(row: BenchRow, serverPid: number, pids?: ClusterPids): ClusterRow {
  const used = (wanted: (pid: number) => boolean) =>
    row.serverProcesses.filter(({ pid }) => wanted(pid)).reduce((sum, { cpuUs }) => sum + cpuUs, 0);
  const router = pids?.router ?? serverPid;
  // The root is the process that starts the others.
  const others = new Set(pids ? [pids.nats, ...pids.workers, serverPid] : []);
  return {
    rate: row.inferRate,
    p50: row.latency.p50,
    p99: row.latency.p99,
    batch: row.server?.batch ?? Number.NaN,
    routerUs: used((pid) => pid === router),
    batchingUs: pids ? used((pid) => pid === pids.batching) : Number.NaN,
    runnersUs: used((pid) => pid !== router && pid !== pids?.batching && !others.has(pid)),
    othersUs: pids ? used((pid) => others.has(pid)) : Number.NaN,
    failed: row.failed,
  };
}

const columns: readonly Column<Line<ClusterRow>>[] = [
  { title: 'load, in flight', cell: ({ name }) => name },
  { title: 'req/s', cell: ({ median }) => figure(median.rate) },
  { title: 'spread', cell: ({ rates }) => spread(rates) },
  { title: 'p50 ms', cell: ({ median }) => figure(median.p50) },
  { title: 'p99 ms', cell: ({ median }) => figure(median.p99) },
  { title: 'batch', cell: ({ median }) => figure(median.batch) },
  { title: 'router µs', cell: ({ median }) => figure(median.routerUs) },
  { title: 'batching µs', cell: ({ median }) => figure(median.batchingUs) },
  { title: 'runners µs', cell: ({ median }) => figure(median.runnersUs) },
  { title: 'others µs', cell: ({ median }) => figure(median.othersUs) },
  { title: 'failed', cell: ({ median }) => String(median.failed) },
];

const scaleName = (runners: number) => `device of ${deviceMs} ms, ${deviceInFlight}, runners: ${runners}`;

/** What the cluster costs, and what each further runner brings. */
function notes(lines: readonly Line<ClusterRow>[]): string[] {
  const medianOf = (name: string) => lines.find((line) => line.name === name)?.median;
  const costs = compared.flatMap(({ name }) =>
    inFlight.flatMap((count) => {
      const one = medianOf(`${name}, ${count}, ${formOf.one}`);
      const cluster = medianOf(`${name}, ${count}, ${formOf.cluster}`);
      if (!one || !cluster) return [];
      const cpu = ({ routerUs, batchingUs, runnersUs, othersUs }: ClusterRow) =>
        routerUs + (batchingUs || 0) + runnersUs + (othersUs || 0);
      const [rate, p50, us] = [cluster.rate / one.rate, cluster.p50 / one.p50, cpu(cluster) / cpu(one)];
      return [`${name}, ${count}: req/s × ${figure(rate)}, p50 × ${figure(p50)}, CPU × ${figure(us)}`];
    }),
  );
  const first = medianOf(scaleName(1));
  const gains = counts.flatMap((runners) => {
    const line = medianOf(scaleName(runners));
    if (!first || !line) return [];
    const ideal = (runners * deviceRows * 1000) / deviceMs;
    return [
      `${runners}: × ${figure(line.rate / first.rate)}, ${figure((100 * line.rate) / ideal)} % of the devices’ own rate`,
    ];
  });
  return [
    'CPU µs a request. In one process, router and batching are the router’s column; others = NATS and the model-workers.',
    ...(costs.length > 0 ? [`The cluster against one process: ${costs.join('; ')}.`] : []),
    ...(gains.length > 0
      ? [`By runners, each waiting ${deviceMs} ms for a simulated device: ${gains.join('; ')}.`]
      : []),
  ];
}

export const clusterTable = {
  /** One `shoal serve` and one cluster, both up all the time; worker k holds the device models of k and more runners. */
  async open(say: (line: string) => void): Promise<OpenTable<ClusterRow>> {
    const plain = temporaryRepository(compared);
    const repositories = counts.map((k) =>
      temporaryRepository([...(k === 1 ? compared : []), ...counts.filter((n) => n >= k).map(deviceModel)]),
    );
    const remove = () => [plain, ...repositories].forEach((repository) => repository.remove());
    let one: Service | undefined;
    try {
      say('starting one process, and a cluster');
      one = await startShoal(plain.folder, []);
      const cluster = await startCluster(repositories.map(({ folder }) => folder));
      return tableOf(one, cluster, async () => {
        await one?.stop();
        await cluster.service.stop();
        remove();
      });
    } catch (thrown) {
      await one?.stop();
      remove();
      throw thrown;
    }
  },
};

function tableOf(one: Service, cluster: Cluster, close: () => Promise<void>): OpenTable<ClusterRow> {
  const load = (model: string, count: number) => ['-m', model, '--concurrency-range', String(count)];
  const onCluster = async (effort: Effort, model: string, count: number) => {
    const { pid } = cluster.service;
    return rowOf(await runBench({ target: cluster.target, pid }, effort, load(model, count)), pid, cluster.pids);
  };
  const overhead = compared.flatMap(({ name }) =>
    inFlight.flatMap((count): Cell<ClusterRow>[] => [
      {
        name: `${name}, ${count}, ${formOf.one}`,
        measure: async (effort) => rowOf(await runBench(one, effort, load(name, count)), one.pid),
      },
      { name: `${name}, ${count}, ${formOf.cluster}`, measure: (effort) => onCluster(effort, name, count) },
    ]),
  );
  const scale = counts.map((runners): Cell<ClusterRow> => ({
    name: scaleName(runners),
    measure: (effort) => onCluster(effort, `device_${runners}`, deviceInFlight),
  }));
  return { cells: [...overhead, ...scale], columns, notes, close };
}
