import { figure } from '@shoal/load';
import { renderColumns } from '../columns';
import { printable } from '../printable';
import type { BatchStory, RequestStory } from './messages';

/** Why a batch left when it did, by its reason. */
const reasons: Readonly<Record<string, string>> = {
  alone: 'the model does not batch: each request runs alone',
  solo: 'the request had to be alone: a runner had been lost with it',
  full: 'the batch could not grow: the largest size was reached, or the next request did not fit',
  preferred: 'a preferred size was reached, or the largest where none is preferred',
  knee: 'a larger batch would hardly have been faster by the row',
  deadline: 'a larger batch would have been late for one of its requests',
  idle: 'a runner was idle, and no delay is configured',
  delay: 'the oldest request had waited for as long as the model allows',
  retry: 'it is part of a batch that failed or was refused before',
  background: 'nothing else waited',
};

const mostMembers = 16;

/** What became of a request, for people. */
export function renderStory(story: RequestStory): string {
  const { id, queue, router, rows, accepted_epoch_ms: accepted, queue_ms: queueMs, batch, rejection } = story;
  const lines = [
    printable(id),
    row('model', queue === '' ? 'no longer known' : printable(queue.split('@')[0] ?? '')),
    row('accepted', `${new Date(accepted).toISOString()} by ${printable(router)}, ${counted(rows, 'row')}`),
  ];
  if (rejection) {
    lines.push(row('refused', `after ${figure(queueMs)} ms: ${rejection.code} (${rejection.reason})`));
    lines.push(row('', printable(rejection.message)));
  } else if (batch) lines.push(...batchLines(queueMs, batch));
  else lines.push(row('batch', 'no longer known'));
  return lines.join('\n');
}

function batchLines(queueMs: number, batch: BatchStory): string[] {
  const { id, reason, runner, requests, rows, left_rows: left, members } = batch;
  const told = members.slice(0, mostMembers).map((member) => {
    return [member.id === '' ? '(no id)' : member.id, String(member.rows), figure(member.queue_ms)];
  });
  const more = requests - told.length;
  return [
    row('waited', `${figure(queueMs)} ms, until batch ${id} left`),
    row('why then', `${reasons[reason] ?? printable(reason)} (${printable(reason)})`),
    row('left', left === 0 ? 'nothing went on waiting' : `${counted(left, 'row')} went on waiting`),
    row('runner', printable(runner)),
    row('took', outcome(batch)),
    row('with', `${counted(requests, 'request')}, ${counted(rows, 'row')}:`),
    ...renderColumns(['request', 'rows', 'waited ms'], told)
      .split('\n')
      .map((line) => `    ${line}`),
    ...(more > 0 ? [`    and ${more} more`] : []),
  ];
}

function outcome({ outcome: how, took_ms: took, wait_ms: wait, run_ms: run }: BatchStory): string {
  if (how === '') return 'it still runs';
  if (how !== 'ok') return `${figure(took)} ms, and ${printable(how)}`;
  const rest = Math.max(0, took - wait - run);
  return `${figure(took)} ms: ${figure(wait)} waiting at the runner, ${figure(run)} running, ${figure(rest)} on the way`;
}

function row(name: string, text: string): string {
  return `  ${name.padEnd(9)}${text}`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
