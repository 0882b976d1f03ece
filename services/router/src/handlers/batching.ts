import {
  type Instances,
  type QueueReport,
  type QueuesCall,
  type RequestCall,
  type RequestStory,
  queuesSubject,
  requestSubject,
} from '@shoal/bus';
import { ShoalError } from '@shoal/core';
import { errorTexts } from '@shoal/protocol';
import type { Handlers } from '@shoal/rpc';

const timeoutMs = 5_000;
const usualLimit = 10;
const mostStories = 100;

/** shoal.control.v1.Batching, asked of all batching instances. */
export function batchingHandlers(batching: Instances): Handlers {
  return {
    async GetRequest({ id, limit }: { readonly id: string; readonly limit: number }) {
      if (id === '') throw new ShoalError('INVALID_ARGUMENT', 'id: expected the id of a request');
      const most = Math.min(limit || usualLimit, mostStories);
      const call: RequestCall = { requestId: id, most };
      const found = await batching.callEach<RequestCall, RequestStory[]>(requestSubject, call, timeoutMs);
      const stories = found.flat().toSorted((a, b) => b.acceptedMs - a.acceptedMs);
      if (stories.length === 0) {
        const text = `nothing is remembered of a request '${errorTexts.clip(id)}': it may be too long ago, or have no id`;
        throw new ShoalError('NOT_FOUND', text);
      }
      return { requests: stories.slice(0, most).map(storyMessage) };
    },
    async ListQueues({ model }: { readonly model: string }) {
      const found = await batching.callEach<QueuesCall, QueueReport[]>(queuesSubject, { model }, timeoutMs);
      const queues = found.flat().toSorted((a, b) => compare(a.model, b.model) || a.version - b.version);
      return { queues: queues.map(queueMessage) };
    },
  };
}

function storyMessage({ requestId, queue, router, rows, acceptedMs, queueMs, batch, rejection }: RequestStory): object {
  return {
    ...{ id: requestId, queue, router, rows, accepted_epoch_ms: acceptedMs, queue_ms: queueMs },
    ...(batch && {
      batch: {
        ...{ id: batch.id, runner: batch.runner, reason: batch.reason, dispatched_epoch_ms: batch.dispatchedMs },
        ...{ requests: batch.requests, rows: batch.rows, left_rows: batch.leftRows, outcome: batch.outcome },
        ...{ took_ms: batch.tookMs ?? 0, wait_ms: batch.waitMs ?? 0, run_ms: batch.runMs ?? 0 },
        members: batch.members.map((one) => ({ id: one.requestId, rows: one.rows, queue_ms: one.queueMs })),
      },
    }),
    ...(rejection && { rejection }),
  };
}

function queueMessage(report: QueueReport): object {
  return {
    ...{ name: report.model, version: String(report.version), waiting: report.waiting },
    ...{ waiting_rows: report.waitingRows, oldest_ms: report.oldestMs, runners: report.runners },
    ...{ idle_runners: report.idleRunners, in_flight: report.inFlight },
    curves: report.curves.map(({ bucket, alphaMs, betaMs, high, samples }) => ({
      ...{ bucket, alpha_ms: alphaMs, beta_ms: betaMs, high, samples },
    })),
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
