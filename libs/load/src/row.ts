import type { GeneratorCost } from './generator-cost';
import type { LatencySummary } from './latencies';
import type { ProcessUse } from './process-tree';
import { type LevelResult, type LoadLevel } from './run-level';
import type { ServerFigures } from './server-statistics';
import { busyLimit } from './generator-cost';

/** CPU of one process of the server. */
export interface ServerProcess {
  readonly pid: number;
  readonly name: string;
  /** CPU microseconds per answered request. */
  readonly cpuUs: number;
}

/** One level's results, as `--format json` writes them. Milliseconds unless the name says otherwise. */
export interface BenchRow {
  readonly level: LoadLevel;
  readonly windowMs: number;
  /** Requests a second that an open loop was meant to send; null in a closed loop. */
  readonly offeredRate: number | null;
  /** Answered requests a second. */
  readonly requestRate: number;
  /** Rows a second: requestRate times the rows of a request. */
  readonly inferRate: number;
  readonly answered: number;
  readonly failed: number;
  readonly failures: Readonly<Record<string, { readonly count: number; readonly example: string }>>;
  /** Open loop: sent more than a millisecond after they were due. */
  readonly late: number;
  /** From when the request was due. */
  readonly latency: LatencySummary;
  /** From when it was sent; the same in a closed loop. */
  readonly latencyFromSend: LatencySummary;
  /** The `--percentile` that was asked for. */
  readonly percentile: { readonly percent: number; readonly latency: number } | null;
  /** The server's own statistics of the window, where it keeps them. */
  readonly server: ServerFigures | null;
  /** The server's CPU, where `--server-pid` names it; busiest first. */
  readonly serverProcesses: readonly ServerProcess[];
  readonly generator: GeneratorCost & { readonly cpuUsPerRequest: number; readonly likelyTheLimit: boolean };
}

/** What was seen beside the requests themselves. */
export interface Around {
  readonly batchSize: number;
  readonly percent: number;
  readonly server: ServerFigures | undefined;
  readonly processes: readonly ProcessUse[];
}

/** A level's results in the form in which they are shown. */
export function toRow(result: LevelResult, { batchSize, percent, server, processes }: Around): BenchRow {
  const { level, windowMs, answered, failed, late, rate, generator } = result;
  const perRequest = (cpuMs: number) => (cpuMs * 1000) / answered;
  return {
    ...{ level, windowMs, answered, failed, late },
    offeredRate: level.kind === 'open' ? level.rate : null,
    requestRate: rate,
    inferRate: rate * batchSize,
    failures: Object.fromEntries(result.failures),
    latency: result.fromIntended.summary(),
    latencyFromSend: result.fromSent.summary(),
    percentile: percent > 0 ? { percent, latency: result.fromIntended.percentile(percent) } : null,
    server: server ?? null,
    serverProcesses: processes
      .map(({ pid, name, cpuMs }) => ({ pid, name, cpuUs: perRequest(cpuMs) }))
      .toSorted((a, b) => b.cpuUs - a.cpuUs),
    generator: {
      ...generator,
      cpuUsPerRequest: perRequest(generator.cpuMs),
      likelyTheLimit: generator.busy > busyLimit,
    },
  };
}
