import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import path from 'node:path';
import type { Row } from './serve';

const columns: readonly [title: string, cell: (row: Row) => string][] = [
  ['server', (r) => r.server],
  ['tensor', (r) => r.tensor],
  ['call', (r) => r.call],
  ['in flight', (r) => String(r.concurrency)],
  ['req/s', (r) => r.rate.toFixed(0)],
  ['p50 ms', (r) => r.p50.toFixed(2)],
  ['p95 ms', (r) => r.p95.toFixed(2)],
  ['p99 ms', (r) => r.p99.toFixed(2)],
  ['server µs/req', (r) => r.serverCpuUs.toFixed(0)],
  ['client µs/req', (r) => r.clientCpuUs.toFixed(0)],
  ['rows/batch', (r) => r.batch.toFixed(1)],
  ['errors', (r) => String(r.errors)],
];

/** The rows as a Markdown table with aligned columns. */
export function markdown(rows: readonly Row[]): string {
  const cells = [columns.map(([title]) => title), ...rows.map((row) => columns.map(([, cell]) => cell(row)))];
  const widths = columns.map((_, c) => Math.max(...cells.map((line) => line[c]!.length)));
  const render = (line: readonly string[]) => `| ${line.map((cell, c) => cell.padEnd(widths[c]!)).join(' | ')} |`;
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  return [render(cells[0]!), rule, ...cells.slice(1).map(render)].join('\n');
}

/** Of several rounds of the same cell, the one with the median rate: whole rows, so that its figures belong together. */
export function medians(rounds: readonly (readonly Row[])[]): Row[] {
  return rounds[0]!.map((_, cell) => {
    const sorted = rounds.map((round) => round[cell]!).sort((a, b) => a.rate - b.rate);
    return sorted[Math.floor(sorted.length / 2)]!;
  });
}

/** Writes results as JSON and Markdown into `folder`; returns the Markdown file's path. */
export function write(folder: string, rows: readonly Row[], rounds: readonly (readonly Row[])[]): string {
  mkdirSync(folder, { recursive: true });
  const machine = {
    node: process.version,
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    date: new Date().toISOString(),
  };
  writeFileSync(path.join(folder, 'serve.json'), `${JSON.stringify({ machine, rows, rounds }, undefined, 2)}\n`);
  const file = path.join(folder, 'serve.md');
  writeFileSync(file, `${markdown(rows)}\n\n${machine.cpu}, ${machine.cores} cores, Node ${machine.node}\n`);
  return file;
}
