import type { ErrorCode } from '@shoal/core';
import type { Rejection, Settlement } from './actions';
import type { Batch } from './batch';
import { bisect } from './bisect';
import type { ModelQueue } from './model-queue';
import type { Runner } from './runner';
import type { Ticket } from './ticket';

/** How a batch ended on its runner. */
export interface BatchResult {
  /** 'failed': the run threw, nobody was answered; 'refused': it never ran. */
  readonly outcome: 'ok' | 'failed' | 'refused';
  /** Of a failure. */
  readonly code: ErrorCode;
  readonly message: string;
  /** Members that failed although the batch ran. */
  readonly memberErrors: readonly { readonly member: number; readonly code: ErrorCode; readonly message: string }[];
  /** Members that were not run: withdrawn, or their bytes never came. */
  readonly absent: readonly number[];
  /** What the runner measured of its run, in nanoseconds; without it the run counts as the time between grant and end. */
  readonly computeInputNs?: number;
  readonly computeInferNs?: number;
  readonly computeOutputNs?: number;
}

/** Ends a request. */
export type Settle<T> = (ticket: Ticket<T>, settlement: Settlement, rejection?: Rejection) => void;

/** A request that so many runners refuse is given up: refusals are for runners that end, not a way of life. */
const maxRefusals = 8;

/** A runner that refuses so many batches in a row is granted no more. */
const maxRunnerRefusals = 3;

/** Ends what a batch that ran has ended. */
export function afterRun<T>(batch: Batch<T>, result: BatchResult, settle: Settle<T>): void {
  for (const { member, code, message } of result.memberErrors) {
    const ticket = batch.members[member];
    if (ticket?.state === 'running') settle(ticket, 'rejected', modelError(code, message));
  }
  settleAbsent(batch, result, settle);
  for (const ticket of batch.members) if (ticket.state === 'running') settle(ticket, 'answered');
}

/** Pins the halves of a batch that failed, to run again; fails a request that failed alone. */
export function afterFailure<T>(queue: ModelQueue<T>, batch: Batch<T>, result: BatchResult, settle: Settle<T>): void {
  const absent = new Set(result.absent);
  settleAbsent(batch, result, settle);
  for (const half of bisect(batch, (member) => !absent.has(member)).toReversed()) queue.pin(half);
  for (const ticket of batch.members) {
    if (ticket.state === 'running') settle(ticket, 'rejected', modelError(result.code, result.message));
  }
}

/** Puts a batch that never ran back where it came from: the keys of its members put them in front of newer ones. */
export function afterRefusal<T>(queue: ModelQueue<T>, runner: Runner<T>, batch: Batch<T>, settle: Settle<T>): void {
  runner.refusals += 1;
  if (runner.refusals >= maxRunnerRefusals) runner.retired = true;
  const back: Ticket<T>[] = [];
  for (const ticket of batch.members) {
    if (ticket.state !== 'running') continue;
    ticket.refusals += 1;
    if (ticket.refusals < maxRefusals) back.push(ticket);
    else settle(ticket, 'rejected', unaccepted);
  }
  if (back.length === 0) return;
  if (batch.reason === 'retry') queue.pin(back);
  else for (const ticket of back) queue.enter(ticket);
}

const unaccepted: Rejection = {
  code: 'UNAVAILABLE',
  message: 'no instance of the model accepted the request',
  origin: 'queue',
  reason: 'refused',
};

function modelError(code: ErrorCode, message: string): Rejection {
  return { code, message, origin: 'model', reason: 'model' };
}

function settleAbsent<T>(batch: Batch<T>, result: BatchResult, settle: Settle<T>): void {
  for (const member of result.absent) {
    const ticket = batch.members[member];
    if (ticket?.state === 'running') settle(ticket, 'cancelled');
  }
}
