import path from 'node:path';
import { type Column, figure } from '@shoal/load';
import { outputOf } from '../child';
import { spread } from '../served-row';
import type { Cell, Effort, Line, Measured, OpenTable } from '../table';

/** What `loads/scheduling` is told. */
export interface SchedulingJob {
  readonly models: number;
  readonly runners: number;
  /** Requests open at a time, per runner. */
  readonly openPerRunner: number;
  readonly effort: Effort;
}

/** The scheduler alone; `rate` in requests settled a second. */
export interface SchedulingResult extends Measured {
  /** CPU nanoseconds a request, of all threads: the collector's too. */
  readonly cpuNs: number;
  /** Requests a batch. */
  readonly batch: number;
  /** Heap bytes of an offer that waits. */
  readonly queuedBytes: number;
}

const modelCounts = [1, 100, 10_000];
const runnerCounts = [1, 64, 1024];

/** A batch that runs and one that waits. */
const usuallyOpen = 64;

/** Where every model has a runner of its own and all are asked: small batches, and each request finds another model's state. */
const sparselyOpen = 8;

const columns: readonly Column<Line<SchedulingResult>>[] = [
  { title: 'models, runners', cell: ({ name }) => name },
  { title: 'settled/s', cell: ({ median }) => Math.round(median.rate).toLocaleString('en') },
  { title: 'spread', cell: ({ rates }) => spread(rates) },
  { title: 'CPU ns/request', cell: ({ median }) => figure(median.cpuNs) },
  { title: 'batch', cell: ({ median }) => figure(median.batch) },
  { title: 'bytes/queued offer', cell: ({ median }) => figure(median.queuedBytes) },
];

/** Room for what 1,024 runners keep open, so that it is not moved about while it is young. */
const nurseryFlag = '--max-semi-space-size=64';

export const schedulerTable = {
  open(): Promise<OpenTable<SchedulingResult>> {
    const plain = modelCounts.flatMap((models) => runnerCounts.map((runners) => cellOf(models, runners, usuallyOpen)));
    const cells = [...plain, cellOf(1, 1024, usuallyOpen, nurseryFlag), cellOf(10_000, 10_000, sparselyOpen)];
    return Promise.resolve({ cells, columns, notes: () => notes, close: () => Promise.resolve() });
  },
};

const notes = [
  `One process, one core, virtual time: ${usuallyOpen} requests open for each runner (${sparselyOpen} where there are 10,000), batches of up to 32; from offer to settlement. Requests go at random to the models that have runners.`,
];

function cellOf(
  models: number,
  runners: number,
  openPerRunner: number,
  ...flags: readonly string[]
): Cell<SchedulingResult> {
  const script = path.join(__dirname, '..', 'loads', 'scheduling.js');
  const name = [`${models.toLocaleString('en')}, ${runners.toLocaleString('en')}`, ...flags].join(' ');
  return {
    name,
    async measure(effort) {
      const job: SchedulingJob = { models, runners, openPerRunner, effort };
      const command = [process.execPath, '--expose-gc', ...flags, script, JSON.stringify(job)];
      return JSON.parse(await outputOf(command)) as SchedulingResult;
    },
  };
}
