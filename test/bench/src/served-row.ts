import { type BenchRow, type Column, figure } from '@shoal/load';
import type { Line, Measured } from './table';

/** What a load on a whole server showed. Milliseconds; CPU in microseconds a request. */
export interface Served extends Measured {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  /** CPU of the server's root process: in Shoal, router and batching. */
  readonly rootUs: number;
  /** CPU of all its descendants: the runners. */
  readonly childrenUs: number;
  readonly clientUs: number;
  /** Rows of an execution, where the server counts them. */
  readonly batch: number;
  readonly failed: number;
  readonly generatorLimit: boolean;
}

/** A load generator's row, with the CPU split between the server's root process and the others. */
export function toServed(row: BenchRow, rootPid: number): Served {
  const { p50, p95, p99 } = row.latency;
  const sum = (root: boolean) =>
    row.serverProcesses.filter(({ pid }) => (pid === rootPid) === root).reduce((total, { cpuUs }) => total + cpuUs, 0);
  return {
    ...{ p50, p95, p99, failed: row.failed, rate: row.inferRate },
    rootUs: rootPid > 0 ? sum(true) : Number.NaN,
    childrenUs: rootPid > 0 ? sum(false) : Number.NaN,
    clientUs: row.generator.cpuUsPerRequest,
    batch: row.server?.batch ?? Number.NaN,
    generatorLimit: row.generator.likelyTheLimit,
  };
}

/** Columns of a served load. */
export const servedColumns: readonly Column<Line<Served>>[] = [
  { title: 'req/s', cell: ({ median }) => figure(median.rate) },
  { title: 'spread', cell: ({ rates }) => spread(rates) },
  { title: 'p50 ms', cell: ({ median }) => figure(median.p50) },
  { title: 'p95 ms', cell: ({ median }) => figure(median.p95) },
  { title: 'p99 ms', cell: ({ median }) => figure(median.p99) },
  { title: 'p99/p50', cell: ({ median }) => figure(median.p99 / median.p50) },
  { title: 'server µs', cell: ({ median }) => figure(median.rootUs) },
  { title: 'runners µs', cell: ({ median }) => figure(median.childrenUs) },
  { title: 'client µs', cell: ({ median }) => figure(median.clientUs) },
  { title: 'batch', cell: ({ median }) => figure(median.batch) },
  { title: 'failed', cell: ({ median }) => String(median.failed) },
];

/** How far the rounds' rates lie apart, of the median. */
export function spread(rates: readonly number[]): string {
  const middle = rates[Math.floor((rates.length - 1) / 2)] ?? Number.NaN;
  const width = ((rates.at(-1) ?? Number.NaN) - (rates[0] ?? Number.NaN)) / middle;
  return Number.isFinite(width) ? `${(100 * width).toFixed(0)}%` : '–';
}

/** A warning for lines in which the generator had no more to give. */
export function generatorNotes(lines: readonly Line<Served>[]): string[] {
  const limited = lines.filter(({ median }) => median.generatorLimit).map(({ name }) => name);
  return limited.length > 0 ? [`The load generator itself was likely the limit of: ${limited.join('; ')}.`] : [];
}
