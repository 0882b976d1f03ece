import type { Data, Offer, WantedOutput } from '@shoal/link';
import type { PendingRequest } from './pending-request';

/** Longest time that an offer names: the largest 32-bit integer, 24 days. */
const maxTimeoutMs = 2 ** 31 - 1;

/** Offers the request as it stands. */
export function offerMessage(request: PendingRequest, now: number): Offer {
  const { version, request: checked } = request.plan;
  const again = request.losses > 0 || request.returns > 0 || request.orphans !== undefined;
  return {
    kind: 'offer',
    offerId: request.offerId,
    queue: version.queue,
    rows: checked.rows,
    shapeKey: checked.shapeKey,
    bytes: checked.bytes,
    timeoutMs:
      request.deadline === Infinity ? 0 : Math.min(Math.max(Math.ceil(request.deadline - now), 1), maxTimeoutMs),
    ageMs: again ? Math.max(Math.ceil(now - request.acceptedAt), 1) : 0,
    priority: checked.priority,
    queueTimeoutUs: checked.queueTimeoutUs,
    solo: request.losses > 0,
  };
}

/** The request's bytes, for the place that batching gave it. */
export function dataMessage(request: PendingRequest): Data {
  const { requestId, inputs, outputs, sharedMemoryOutputs } = request.plan.request;
  return {
    kind: 'data',
    batchId: request.batchId,
    member: request.member,
    offerId: request.offerId,
    requestId,
    inputs,
    // Where the client wants its outputs is the router's business.
    outputs: sharedMemoryOutputs ? outputs.map(wanted) : outputs,
  };
}

function wanted({ index, classification }: WantedOutput): WantedOutput {
  return { index, classification };
}
