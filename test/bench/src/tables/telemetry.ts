import path from 'node:path';
import { type Column, figure } from '@shoal/load';
import { type Service, startService } from '../child';
import { benchModels } from '../models/bench-models';
import { projectRoot } from '../project-root';
import { runBench, startShoal } from '../shoal';
import type { Cell, Effort, Line, Measured, OpenTable } from '../table';
import { temporaryRepository } from '../temporary-repository';

/** CPU of all processes of a server, microseconds a request, by what it tells of itself; and how many it answered. */
interface Watched extends Measured {
  readonly cpuUs: readonly number[];
  readonly rates: readonly number[];
}

interface Variant {
  readonly name: string;
  readonly flags: readonly string[];
  /** Of OpenTelemetry; undefined: no receiver is named. */
  readonly sampler: string | undefined;
}

/** From nothing to everything; the first is what the others are compared with. */
const variants: readonly Variant[] = [
  { name: 'nothing', flags: ['--allow-metrics', 'false'], sampler: undefined },
  { name: 'metrics', flags: [], sampler: undefined },
  { name: 'traced: 0 %', flags: [], sampler: '0' },
  { name: '1 %', flags: [], sampler: '0.01' },
  { name: '100 %', flags: [], sampler: '1' },
];

/** So many times each variant is measured in a round, in turns. */
const turns = 3;

const loads = [
  ...[1, 16, 64].map((inFlight) => ({ model: benchModels.simple, inFlight, streaming: false })),
  { model: benchModels.simple, inFlight: 64, streaming: true },
  { model: benchModels.digits, inFlight: 64, streaming: false },
];

const columns: readonly Column<Line<Watched>>[] = [
  { title: 'load, in flight', cell: ({ name }) => name },
  ...variants.map(({ name }, at): Column<Line<Watched>> => ({
    title: at === 0 ? `CPU µs, ${name}` : name,
    cell: ({ median }) => figure(median.cpuUs[at] ?? Number.NaN),
  })),
  ...variants.slice(1).map(({ name }, at): Column<Line<Watched>> => ({
    title: `${name}, more`,
    cell: ({ median }) => `${(100 * ((median.cpuUs[at + 1] ?? 0) / (median.cpuUs[0] ?? 0) - 1)).toFixed(1)} %`,
  })),
  { title: 'req/s, nothing', cell: ({ median }) => figure(median.rates[0] ?? Number.NaN) },
  { title: 'req/s, 100 %', cell: ({ median }) => figure(median.rates.at(-1) ?? Number.NaN) },
];

export const telemetryTable = {
  async open(flags: readonly string[]): Promise<OpenTable<Watched>> {
    const repository = temporaryRepository([benchModels.simple, benchModels.digits]);
    const running: Service[] = [];
    const close = async () => {
      await Promise.all(running.map((service) => service.stop()));
      repository.remove();
    };
    const servers: Service[] = [];
    try {
      const sink = await startService(
        [process.execPath, path.join(projectRoot, 'test/bench/dist/servers/otlp-sink.js')],
        /serving at (\S+)/,
      );
      running.push(sink);
      for (const { flags: own, sampler } of variants) {
        const server = await startShoal(repository.folder, [...own, ...flags], environment(sampler, sink.target));
        servers.push(server);
        running.push(server);
      }
    } catch (thrown) {
      await close();
      throw thrown;
    }
    const cells = loads.map(({ model, inFlight, streaming }): Cell<Watched> => ({
      name: `${model.name}, ${streaming ? 'stream' : 'unary'}, ${inFlight}`,
      async measure(effort) {
        const load = ['-m', model.name, '--concurrency-range', String(inFlight), ...(streaming ? ['--streaming'] : [])];
        return inTurns(servers, load, effort);
      },
    }));
    return {
      cells,
      columns,
      notes: () => [
        'CPU µs a request of all processes of a server, the median of its turns; "more" is against the one that tells nothing of itself. ' +
          'Metrics are on in all others. The receiver’s own CPU is not counted.',
      ],
      close,
    };
  },
};

function environment(sampler: string | undefined, target: string): Readonly<Record<string, string>> {
  if (sampler === undefined) return { OTEL_SDK_DISABLED: 'true' };
  return {
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://${target}`,
    OTEL_METRICS_EXPORTER: 'none',
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: sampler,
    // Else most spans of a load like this would find the queue full, and cost nothing.
    OTEL_BSP_MAX_QUEUE_SIZE: '65536',
  };
}

async function inTurns(servers: readonly Service[], load: readonly string[], effort: Effort): Promise<Watched> {
  const cpu = servers.map((): number[] => []);
  const rate = servers.map((): number[] => []);
  for (let turn = 0; turn < turns; turn++) {
    for (const [at, server] of servers.entries()) {
      const row = await runBench(server, effort, load);
      cpu[at]!.push(row.serverProcesses.reduce((sum, { cpuUs }) => sum + cpuUs, 0));
      rate[at]!.push(row.inferRate);
    }
  }
  const rates = rate.map(middle);
  return { cpuUs: cpu.map(middle), rates, rate: rates[0] ?? Number.NaN };
}

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
