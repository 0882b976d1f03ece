import path from 'node:path';
import type { GrpcCarrier } from '@shoal/rpc';
import { describeMachine } from './machine';
import { type BenchOptions, parseOptions, usage } from './options';
import { projectRoot } from './project-root';
import { markdownOf, writeReport } from './results';
import { runCells } from './run-table';
import type { Effort, Measured, OpenTable } from './table';
import { checkTable } from './tables/check';
import { clusterTable } from './tables/cluster';
import { explainTable } from './tables/explain';
import { errorTable } from './tables/explain-error';
import { memoryTable } from './tables/explain-memory';
import { shapTable } from './tables/explain-shap';
import { floodTable } from './tables/flood';
import { limitTable } from './tables/limit';
import { peersTable } from './tables/peers';
import { schedulerTable } from './tables/scheduler';
import { serveTable } from './tables/serve';
import { telemetryTable } from './tables/telemetry';
import { simulateTable } from './tables/simulate';
import { wireTable } from './tables/wire';

const say = (line: string) => void process.stderr.write(`${line}\n`);

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  if (options === undefined) {
    process.stdout.write(usage);
    return;
  }
  const { table, effort, serverFlags, benchFlags } = options;
  const carrier = (options.carrier || 'native') as GrpcCarrier;
  switch (table) {
    case 'wire':
      return run(table, effort, wireTable.open(carrier, say));
    case 'limit':
      return run(table, effort, limitTable.open());
    case 'peers':
      return run(table, effort, peersTable.open(peersOf(options), say));
    case 'cluster':
      return run(table, effort, clusterTable.open(say));
    case 'simulate':
      return run(table, effort, simulateTable.open(say));
    case 'scheduler':
      return run(table, effort, schedulerTable.open());
    case 'explain':
      await run(table, effort, explainTable.open(serverFlags));
      await run('explain-shap', effort, shapTable.open(serverFlags, say));
      return run('explain-error', effort, errorTable.open());
    case 'explain-shap':
      return run(table, effort, shapTable.open(serverFlags, say));
    case 'explain-memory':
      return run(table, { ...effort, rounds: 1 }, memoryTable.open());
    case 'explain-error':
      return run(table, effort, errorTable.open());
    case 'flood':
      return run(table, effort, floodTable.open(serverFlags));
    case 'telemetry':
      return run(table, effort, telemetryTable.open(serverFlags));
    case 'check':
      return run(table, effort, checkTable.open(say));
    default:
      return run(table, effort, serveTable.open(serverFlags, benchFlags));
  }
}

async function run<M extends Measured>(name: string, effort: Effort, opening: Promise<OpenTable<M>>): Promise<void> {
  // Before anything runs: its load average is that of others.
  const machine = describeMachine();
  const table = await opening;
  try {
    const lines = await runCells(table.cells, effort, say);
    const report = { name, machine, columns: table.columns, lines, notes: table.notes(lines) };
    const file = writeReport(path.join(projectRoot, 'test/bench/results'), report);
    process.stdout.write(`${markdownOf(report)}\nwritten: ${path.relative(process.cwd(), file)} and .json\n`);
  } finally {
    await table.close();
  }
}

function peersOf({ peers, starts, pids, bodies, serverFlags }: BenchOptions) {
  const numbers = new Map([...pids].map(([name, pid]) => [name, Number(pid)]));
  return { urls: peers, commands: starts, pids: numbers, bodies, shoalFlags: serverFlags };
}

main().then(
  () => process.exit(0),
  (thrown: unknown) => {
    say(thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown));
    process.exit(1);
  },
);
