import { figure } from '@shoal/load';
import { renderColumns } from '../columns';
import type { ModelStatistics, Queue } from './messages';

/** What was seen at a moment. */
export interface Look {
  /** Milliseconds, of any origin. */
  readonly at: number;
  readonly queues: readonly Queue[];
  readonly statistics: readonly ModelStatistics[];
}

const titles = [
  ...['model', 'req/s', 'rows/s', 'failed/s', 'batch', 'queue ms', 'waiting', 'oldest ms'],
  ...['busy', 'learnt ms', 'batch sizes'],
];

/** How queues stand, and what happened since the look before. */
export function renderTop(before: Look, now: Look): string {
  const rows = keysOf(now).map((key) => line(key, before, now));
  return rows.length === 0 ? 'No model serves.' : renderColumns(titles, rows);
}

function keysOf({ queues, statistics }: Look): string[] {
  return [...new Set([...queues, ...statistics].map(keyOf))].toSorted((a, b) => a.localeCompare(b, 'en'));
}

function keyOf({ name, version }: { readonly name: string; readonly version: string }): string {
  return `${name}/${version}`;
}

function line(key: string, before: Look, now: Look): string[] {
  const seconds = (now.at - before.at) / 1000;
  const [was, is] = [before, now].map(({ statistics }) => statistics.find((one) => keyOf(one) === key));
  const grown = (of: (one: ModelStatistics) => number) => (is ? of(is) - (was ? of(was) : 0) : 0);
  const requests = grown((one) => one.inference_stats.success?.count ?? 0);
  const queues = now.queues.filter((one) => keyOf(one) === key);
  const sum = (of: (queue: Queue) => number) => queues.reduce((total, queue) => total + of(queue), 0);
  // Each instance has all runners; those of the one with the most are all.
  const runners = Math.max(0, ...queues.map((queue) => queue.runners));
  const idle = Math.min(runners, ...queues.map((queue) => queue.idle_runners));
  return [
    key,
    figure(requests / seconds),
    figure(grown((one) => one.inference_count) / seconds),
    figure(grown((one) => one.inference_stats.fail?.count ?? 0) / seconds),
    figure(grown((one) => one.inference_count) / grown((one) => one.execution_count)),
    figure(grown((one) => one.inference_stats.queue?.ns ?? 0) / 1e6 / requests),
    String(sum((queue) => queue.waiting)),
    figure(Math.max(0, ...queues.map((queue) => queue.oldest_ms))),
    `${runners - idle}/${runners}`,
    curveText(queues),
    bars(was, is),
  ];
}

/** The curve that most is known of. */
function curveText(queues: readonly Queue[]): string {
  const [best] = queues.flatMap(({ curves }) => curves).toSorted((a, b) => b.samples - a.samples);
  return best === undefined ? '–' : `${figure(best.alpha_ms)} + ${figure(best.beta_ms)}·b`;
}

const blocks = Array.from('▁▂▃▄▅▆▇█');
const mostBars = 12;

/** Batches since the look before, by size: `1▂ 2█ 8▁`; of many sizes the most frequent. */
function bars(was: ModelStatistics | undefined, is: ModelStatistics | undefined): string {
  const counts = (is?.batch_stats ?? []).flatMap(({ batch_size: size, compute_infer: stage }) => {
    const earlier = was?.batch_stats.find((one) => one.batch_size === size)?.compute_infer?.count ?? 0;
    const count = (stage?.count ?? 0) - earlier;
    return count > 0 ? [{ size, count }] : [];
  });
  const most = Math.max(...counts.map(({ count }) => count));
  return counts
    .toSorted((a, b) => b.count - a.count)
    .slice(0, mostBars)
    .toSorted((a, b) => a.size - b.size)
    .map(({ size, count }) => `${size}${blocks[Math.ceil((count / most) * blocks.length) - 1]}`)
    .join(' ');
}
