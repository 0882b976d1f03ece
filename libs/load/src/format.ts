import type { BenchRow } from './row';
import { type Column, figure, renderTable } from './text-table';

/** How results are written. */
export type Format = 'table' | 'json' | 'csv';

/** Results for stdout, with a newline at the end. */
export function formatRows(format: Format, rows: readonly BenchRow[]): string {
  switch (format) {
    case 'table':
      return `${renderTable(tableColumns(rows), rows)}\n${notes(rows)}`;
    case 'json':
      return `${JSON.stringify({ rows }, undefined, 2)}\n`;
    default:
      return csv(rows);
  }
}

function tableColumns(rows: readonly BenchRow[]): Column<BenchRow>[] {
  const some = (wanted: (row: BenchRow) => unknown) => rows.some(wanted);
  const open = some((row) => row.offeredRate !== null);
  const served = some((row) => row.server !== null);
  const columns: (Column<BenchRow> | false | undefined)[] = [
    open
      ? { title: 'offered/s', cell: (row) => figure(row.offeredRate ?? Number.NaN) }
      : { title: 'in flight', cell: ({ level }) => (level.kind === 'closed' ? String(level.concurrency) : '') },
    { title: 'infer/s', cell: (row) => figure(row.inferRate) },
    { title: 'p50 ms', cell: (row) => figure(row.latency.p50) },
    { title: 'p90', cell: (row) => figure(row.latency.p90) },
    { title: 'p95', cell: (row) => figure(row.latency.p95) },
    { title: 'p99', cell: (row) => figure(row.latency.p99) },
    some((row) => row.percentile) && {
      title: `p${rows[0]?.percentile?.percent ?? ''}`,
      cell: (row) => figure(row.percentile?.latency ?? Number.NaN),
    },
    open && { title: 'p50 from send', cell: (row) => figure(row.latencyFromSend.p50) },
    open && { title: 'p99 from send', cell: (row) => figure(row.latencyFromSend.p99) },
    open && { title: 'late', cell: (row) => `${figure((100 * row.late) / (row.answered + row.failed))}%` },
    served && { title: 'queue ms', cell: (row) => figure(row.server?.queueMs ?? Number.NaN) },
    served && { title: 'in', cell: (row) => figure(row.server?.computeInputMs ?? Number.NaN) },
    served && { title: 'infer', cell: (row) => figure(row.server?.computeInferMs ?? Number.NaN) },
    served && { title: 'out', cell: (row) => figure(row.server?.computeOutputMs ?? Number.NaN) },
    served && { title: 'batch', cell: (row) => figure(row.server?.batch ?? Number.NaN) },
    some((row) => row.failed > 0) && { title: 'failed', cell: (row) => String(row.failed) },
    some((row) => row.serverProcesses.length > 0) && {
      title: 'server µs/req',
      cell: (row) => figure(row.serverProcesses.reduce((sum, { cpuUs }) => sum + cpuUs, 0)),
    },
    { title: 'client µs/req', cell: (row) => figure(row.generator.cpuUsPerRequest) },
  ];
  return columns.filter((column) => column !== false && column !== undefined);
}

/** What a reader must know beside the figures. */
function notes(rows: readonly BenchRow[]): string {
  const lines: string[] = [];
  for (const row of rows) {
    const name = row.level.kind === 'closed' ? `in flight ${row.level.concurrency}` : `rate ${row.level.rate}`;
    for (const [status, { count, example }] of Object.entries(row.failures)) {
      lines.push(`${name}: ${count} × ${status}: ${example}`);
    }
    if (row.generator.likelyTheLimit) {
      const share = `busy ${(100 * row.generator.busy).toFixed(0)} % of the time`;
      lines.push(`${name}: the load generator was ${share}: it may be the limit, not the server.`);
    }
    if (row.offeredRate !== null && row.requestRate < 0.95 * row.offeredRate && row.failed === 0) {
      lines.push(`${name}: the server answered ${row.requestRate.toFixed(0)}/s of what was offered.`);
    }
    const [first, ...others] = row.serverProcesses;
    if (first !== undefined && others.length > 0) {
      const parts = [first, ...others].map(({ name: process, cpuUs }) => `${process} ${figure(cpuUs)}`);
      lines.push(`${name}: server µs/req by process: ${parts.join(', ')}`);
    }
  }
  return lines.map((line) => `\n${line}`).join('') + (lines.length > 0 ? '\n' : '');
}

/** Columns as perf_analyzer writes them, as far as they are measured; times in microseconds. */
function csv(rows: readonly BenchRow[]): string {
  const us = (ms: number | undefined) => (ms !== undefined && Number.isFinite(ms) ? (ms * 1000).toFixed(0) : '');
  const columns: Column<BenchRow>[] = [
    {
      title: rows[0]?.level.kind === 'open' ? 'Request Rate' : 'Concurrency',
      cell: ({ level }) => String(level.kind === 'closed' ? level.concurrency : level.rate),
    },
    { title: 'Inferences/Second', cell: (row) => row.inferRate.toFixed(2) },
    {
      title: 'Network+Server Send/Recv',
      // The server's mean is of other requests than ours at the edges of the interval, and may be the larger by a little.
      cell: ({ latencyFromSend, server }) =>
        us(server ? Math.max(0, latencyFromSend.mean - server.requestMs) : undefined),
    },
    { title: 'Server Queue', cell: ({ server }) => us(server?.queueMs) },
    { title: 'Server Compute Input', cell: ({ server }) => us(server?.computeInputMs) },
    { title: 'Server Compute Infer', cell: ({ server }) => us(server?.computeInferMs) },
    { title: 'Server Compute Output', cell: ({ server }) => us(server?.computeOutputMs) },
    { title: 'p50 latency', cell: ({ latency }) => us(latency.p50) },
    { title: 'p90 latency', cell: ({ latency }) => us(latency.p90) },
    { title: 'p95 latency', cell: ({ latency }) => us(latency.p95) },
    { title: 'p99 latency', cell: ({ latency }) => us(latency.p99) },
    { title: 'Avg latency', cell: ({ latency }) => us(latency.mean) },
    { title: 'Failed', cell: ({ failed }) => String(failed) },
  ];
  const lines = [columns.map(({ title }) => title), ...rows.map((row) => columns.map(({ cell }) => cell(row)))];
  return lines.map((line) => `${line.join(',')}\n`).join('');
}
