import type { BatchFacts } from '@shoal/link';
import type { InferParameter, InferParameters } from '@shoal/protocol';
import type { PendingRequest } from './pending-request';

/** What a response says of its batch, where the request had the parameter `shoal.why`. */
export function batchParameters(
  { requests, rows, reason, queueUs }: BatchFacts,
  { batchId, runner }: Pick<PendingRequest, 'batchId' | 'runner'>,
): InferParameters {
  const int64 = (value: number): InferParameter => ({ kind: 'int64', value });
  return new Map<string, InferParameter>([
    ['shoal.batch_id', int64(batchId)],
    ['shoal.batch_requests', int64(requests)],
    ['shoal.batch_size', int64(rows)],
    ['shoal.queue_us', int64(queueUs)],
    ['shoal.reason', { kind: 'string', value: reason }],
    ['shoal.runner', { kind: 'string', value: runner }],
  ]);
}
