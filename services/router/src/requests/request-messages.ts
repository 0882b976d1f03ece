import { type Data, type InputData, type Offer, type WantedOutput, wholeBytes } from '@shoal/link';
import type { CheckedInput } from '@shoal/protocol';
import type { InferPlan } from './infer-plan';
import type { PendingRequest } from './pending-request';

/** Outputs for which the client has less room go by way of the router: the runner would have to open the file once more. */
const placedFromBytes = 64 * 1024;

/** Longest time that an offer names: the largest 32-bit integer, 24 days. */
const maxTimeoutMs = 2 ** 31 - 1;

/** Offers the request as it stands. */
export function offerMessage(request: PendingRequest, now: number): Offer {
  const { version, request: checked } = request.plan;
  const again = request.losses > 0 || request.returns > 0 || request.orphans !== undefined;
  const offer: Offer = {
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
    background: checked.background,
  };
  const { requestId, why } = checked;
  if (!request.trace && requestId === '' && !why) return offer;
  return {
    ...offer,
    ...(request.trace && { trace: request.trace.wire }),
    ...(requestId !== '' && { requestId: requestId.slice(0, maxRequestId) }),
    ...(why && { why }),
  };
}

/** Ids are for finding a request again; no sensible one is longer. */
const maxRequestId = 256;

/**
 * The request's bytes, for the place that batching gave it.
 * @param direct The runner can reach the client's shared memory by itself.
 * @throws ShoalError INVALID_ARGUMENT when that memory became shorter.
 */
export function dataMessage(request: PendingRequest, direct: boolean): Data {
  const { requestId, inputs, outputs, sharedMemoryOutputs } = request.plan.request;
  const data: Data = {
    kind: 'data',
    batchId: request.batchId,
    member: request.member,
    offerId: request.offerId,
    requestId,
    inputs: direct || inputs.every(({ bytes }) => bytes instanceof Uint8Array) ? inputs : inputs.map(here),
    outputs: sharedMemoryOutputs ? wantedOutputs(request.plan, direct) : outputs,
  };
  return request.trace ? { ...data, trace: request.trace.wire } : data;
}

function here({ index, shape, bytes }: CheckedInput): InputData {
  return { index, shape, bytes: wholeBytes(bytes) };
}

/** With the client's places where the runner writes to them, and that is worth while; otherwise the router will. */
function wantedOutputs({ request: { outputs }, regions }: InferPlan, direct: boolean): WantedOutput[] {
  const plain = outputs.map(({ index, classification }) => ({ index, classification }));
  if (!direct || !regions || !outputs.some(({ sharedMemory }) => (sharedMemory?.byteSize ?? 0) >= placedFromBytes)) {
    return plain;
  }
  const wanted: WantedOutput[] = [];
  for (const { index, classification, sharedMemory } of outputs) {
    if (!sharedMemory) {
      wanted.push({ index, classification });
      continue;
    }
    const file = regions.part(sharedMemory);
    if (!file) return plain;
    const { region, offset } = sharedMemory;
    wanted.push({ index, classification, place: { file, region, offset } });
  }
  return wanted;
}
