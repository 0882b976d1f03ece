import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { type Column, figure } from '@shoal/load';
import { type Service, outputOf, startService } from '../child';
import { projectRoot } from '../project-root';
import { spread } from '../served-row';
import { runBench, startShoal } from '../shoal';
import type { Cell, Effort, Line, Measured, OpenTable } from '../table';
import { temporaryRepository } from '../temporary-repository';

/** What a load generator says of a server: requests a second and milliseconds. */
export interface Judged extends Measured {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/** One load that both generators can make. */
interface Load {
  readonly name: string;
  readonly model: 'delayed' | 'simple';
  /** Closed loop: requests in flight. Open loop: most of them. */
  readonly inFlight: number;
  /** Open loop: requests a second. */
  readonly rate?: number;
}

const loads: readonly Load[] = [
  { name: 'known delays, 1 in flight', model: 'delayed', inFlight: 1 },
  { name: 'known delays, 16 in flight', model: 'delayed', inFlight: 16 },
  { name: 'known delays, 500/s', model: 'delayed', inFlight: 64, rate: 500 },
  { name: 'Shoal, simple, 1 in flight', model: 'simple', inFlight: 1 },
  { name: 'Shoal, simple, 16 in flight', model: 'simple', inFlight: 16 },
  { name: 'Shoal, simple, 500/s', model: 'simple', inFlight: 64, rate: 500 },
];

const ghz = process.env['GHZ'] ?? 'ghz';

export const checkTable = {
  name: 'check',
  async open(say: (line: string) => void): Promise<OpenTable<Judged>> {
    const hasGhz = await promisify(execFile)(ghz, ['--version']).then(
      () => true,
      () => false,
    );
    if (!hasGhz) say('skipped: ghz, which is not installed (.ci/run says how; GHZ=PATH)');
    const repository = temporaryRepository();
    const servers = {
      simple: await startShoal(repository.folder, []),
      delayed: await startService(
        [process.execPath, path.join(__dirname, '..', 'servers', 'delayed.js')],
        /serving at (\S+)/,
      ),
    };
    return {
      cells: loads.flatMap((load): Cell<Judged>[] => [
        { name: `${load.name} | shoal bench`, measure: (effort) => byBench(servers[load.model], load, effort) },
        ...(hasGhz
          ? [{ name: `${load.name} | ghz`, measure: (effort: Effort) => byGhz(servers[load.model], load, effort) }]
          : []),
      ]),
      columns,
      notes: agreement,
      async close() {
        await Promise.all(Object.values(servers).map((server) => server.stop()));
        repository.remove();
      },
    };
  },
};

async function byBench(server: Service, { model, inFlight, rate }: Load, effort: Effort): Promise<Judged> {
  const level = rate === undefined ? ['--concurrency-range', inFlight] : ['--request-rate-range', rate];
  const row = await runBench(server, effort, ['-m', model, ...level.map(String)]);
  const { p50, p95, p99 } = row.latency;
  return { rate: row.requestRate, p50, p95, p99 };
}

interface GhzReport {
  readonly rps: number;
  /** Nanoseconds. */
  readonly latencyDistribution: readonly { readonly percentage: number; readonly latency: number }[];
}

async function byGhz(server: Service, { model, inFlight, rate }: Load, effort: Effort): Promise<Judged> {
  const output = await outputOf([
    ...[ghz, '--insecure', '--import-paths', path.join(projectRoot, 'proto')],
    ...['--proto', path.join(projectRoot, 'proto/inference/grpc_service.proto')],
    ...['--call', 'inference.GRPCInferenceService.ModelInfer', '-d', JSON.stringify(requestOf(model))],
    ...['-c', String(inFlight), '-z', `${effort.seconds}s`, '--duration-stop', 'wait', '-O', 'json'],
    ...(rate === undefined ? [] : ['--rps', String(rate), '--async']),
    server.target,
  ]);
  const report = JSON.parse(output) as GhzReport;
  const of = (percent: number) =>
    (report.latencyDistribution.find(({ percentage }) => percentage === percent)?.latency ?? Number.NaN) / 1e6;
  return { rate: report.rps, p50: of(50), p95: of(95), p99: of(99) };
}

/** The request in protobuf's JSON. */
function requestOf(model: Load['model']): object {
  const raw = (bytes: number) => Buffer.alloc(bytes, 1).toString('base64');
  const simple = ['INPUT0', 'INPUT1'].map((name) => ({ name, datatype: 'INT32', shape: [1, 16] }));
  return model === 'simple'
    ? { model_name: model, inputs: simple, raw_input_contents: [raw(64), raw(64)] }
    : {
        model_name: model,
        inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 1] }],
        raw_input_contents: [raw(4)],
      };
}

const part = (index: number) => (line: Line<Judged>) => line.name.split(' | ')[index] ?? '';

const columns: readonly Column<Line<Judged>>[] = [
  { title: 'load', cell: part(0) },
  { title: 'generator', cell: part(1) },
  { title: 'req/s', cell: ({ median }) => figure(median.rate) },
  { title: 'spread', cell: ({ rates }) => spread(rates) },
  { title: 'p50 ms', cell: ({ median }) => figure(median.p50) },
  { title: 'p95 ms', cell: ({ median }) => figure(median.p95) },
  { title: 'p99 ms', cell: ({ median }) => figure(median.p99) },
];

/** By how much the two differ. */
function agreement(lines: readonly Line<Judged>[]): string[] {
  return lines
    .filter((line) => part(1)(line) === 'ghz')
    .map((other) => {
      const ours = lines.find((line) => line !== other && part(0)(line) === part(0)(other));
      const ratio = (of: (judged: Judged) => number) => figure(ours ? of(ours.median) / of(other.median) : Number.NaN);
      const rates = `rate ${ratio(({ rate }) => rate)}`;
      return `${part(0)(other)}: shoal bench of ghz: ${rates}, p50 ${ratio(({ p50 }) => p50)}, p99 ${ratio(({ p99 }) => p99)}`;
    });
}
