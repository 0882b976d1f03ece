import { figure } from '@shoal/load';
import type { LogHistogram, SimulationOutcome } from '@shoal/scheduler';
import { renderColumns } from '../columns';
import { printable } from '../printable';
import type { SimulationResult } from './simulate-command';

/** A simulation's result for people. */
export function renderSimulation(result: SimulationResult): string {
  const { profile, traffic, outcome } = result;
  const parts = [
    `${printable(profile.model)}: ${traffic.name}, ${counted(outcome.runners, 'runner')}`,
    table(outcome),
    `${figure(outcome.throughput)} answers a second, ${figure(100 * outcome.utilisation)} % of the runners' time used, ${shedText(outcome)}`,
    histogram(outcome),
    ...objectiveText(result),
  ];
  return `${parts.join('\n\n')}\n`;
}

function table({ latency, queueing }: SimulationOutcome): string {
  const row = (name: string, of: LogHistogram) => [
    name,
    ...[0.5, 0.9, 0.95, 0.99, 0.999].map((share) => figure(of.quantile(share))),
    figure(of.max),
  ];
  return renderColumns(
    ['ms', 'p50', 'p90', 'p95', 'p99', 'p99.9', 'max'],
    [row('latency', latency), row('in the queue', queueing)],
  );
}

function shedText({ shed, offered }: SimulationOutcome): string {
  const reasons = Object.entries(shed);
  if (reasons.length === 0) return 'nothing shed';
  const total = reasons.reduce((sum, [, count]) => sum + count, 0);
  const parts = reasons.map(([reason, count]) => `${count} ${reason}`);
  return `${figure((100 * total) / offered)} % shed (${parts.join(', ')})`;
}

const barColumns = 40;
const mostLines = 16;

/** Batch sizes as bars; of many sizes, several in a line. */
function histogram({ batchSizes, meanBatch }: SimulationOutcome): string {
  const largest = batchSizes.length - 1;
  const width = Math.ceil(largest / mostLines);
  const lines = Array.from({ length: Math.ceil(largest / width) }, (_, i) => {
    const [from, to] = [1 + i * width, Math.min(largest, (i + 1) * width)];
    const count = batchSizes.slice(from, to + 1).reduce((sum, one) => sum + one, 0);
    return { name: from === to ? String(from) : `${from}–${to}`, count };
  });
  const all = lines.reduce((sum, { count }) => sum + count, 0);
  const most = Math.max(1, ...lines.map(({ count }) => count));
  const rows = lines.map(({ name, count }) => {
    const bar = '█'.repeat(Math.round((count / most) * barColumns)) || (count > 0 ? '▏' : '');
    return `  ${name.padStart(9)}  ${`${figure((100 * count) / Math.max(1, all))} %`.padStart(8)}  ${bar}`.trimEnd();
  });
  return [`Batches, ${figure(meanBatch)} rows on average:`, ...rows].join('\n');
}

function objectiveText({ config, needed, outcome }: SimulationResult): string[] {
  if (needed === undefined) return [];
  const objective = `p99 within ${config.sloP99Ms} ms, at most ${figure(100 * config.sloShed)} % shed`;
  const rows = needed.tried.map((one) => [
    String(one.runners),
    figure(one.latency.quantile(0.5)),
    figure(one.latency.quantile(0.99)),
    figure(one.goodput),
    `${figure(100 * one.utilisation)} %`,
    `${figure((100 * (one.offered - one.answered)) / one.offered)} %`,
  ]);
  const tried = renderColumns(['runners', 'p50 ms', 'p99 ms', 'goodput/s', 'used', 'shed'], rows);
  const verdict =
    needed.runners === undefined
      ? `Even ${counted(config.maxRunners, 'runner')} would not do for ${objective}.`
      : `${counted(needed.runners, 'runner')} needed for ${objective}.`;
  const goodput = `Within the objective, with ${outcome.runners}: ${figure(outcome.goodput)} answers a second.`;
  return [tried, verdict, goodput];
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
