import { statusNumbers } from '@shoal/core';
import { type MessageBytes, isPieces } from '../bytes';
import type { FrameMessage, Share } from '../carrier-messages';
import { FilePart } from '../file-part';
import type { BatchFacts, Data, Done, Offer } from '../messages';
import { Block } from '../shared/block';
import { origins, outcomes, reasons, roles, shareStates } from './names';
import type { Sink } from './sink';

/** Field numbers of `Message.kind` in link.proto. */
export const kinds = {
  hello: 1,
  offer: 2,
  cancel: 3,
  send: 4,
  reject: 5,
  batch: 6,
  data: 7,
  withdraw: 8,
  answer: 9,
  refused: 10,
  ready: 11,
  done: 12,
  retire: 13,
  share: 14,
  free: 15,
} as const satisfies Record<FrameMessage['kind'], number>;

/** Tells a message, as one element of a frame, to a sink. */
export function putMessage(sink: Sink, message: FrameMessage): void {
  sink.open(1);
  sink.open(kinds[message.kind]);
  putFields(sink, message);
  sink.close();
  sink.close();
}

function putFields(sink: Sink, message: FrameMessage): void {
  switch (message.kind) {
    case 'offer':
      return putOffer(sink, message);
    case 'data':
      return putData(sink, message);
    case 'done':
      return putDone(sink, message);
    case 'hello':
      sink.uint(1, roles.indexOf(message.role));
      return sink.string(2, message.id);
    case 'cancel':
      sink.uint(1, message.offerId);
      return sink.uint(2, reasons.indexOf(message.reason));
    case 'send':
      sink.uint(1, message.offerId);
      sink.uint(2, message.batchId);
      sink.uint(3, message.member);
      sink.string(4, message.runner);
      return message.facts && putFacts(sink, message.facts);
    case 'reject':
      sink.uint(1, message.offerId);
      sink.uint(2, statusNumbers[message.code]);
      sink.string(3, message.message);
      sink.uint(4, origins.indexOf(message.origin));
      return sink.double(5, message.retryMs ?? 0);
    case 'batch':
      sink.uint(1, message.batchId);
      for (const router of message.routers) sink.element(2, router);
      sink.uints(3, message.rows);
      putTrace(sink, 4, message.trace);
      return sink.double(5, message.grantedMs ?? 0);
    case 'withdraw':
      sink.uint(1, message.batchId);
      return sink.uint(2, message.member);
    case 'answer':
      sink.uint(1, message.offerId);
      putBytes(sink, 2, message.response);
      return sink.uint(5, message.computeUs);
    case 'refused':
      return sink.uint(1, message.offerId);
    case 'ready':
      sink.string(1, message.runner);
      sink.string(2, message.queue);
      return sink.uint(3, message.credits);
    case 'retire':
      return undefined;
    case 'share':
      return putShare(sink, message);
    case 'free':
      return sink.uints(1, message.offsets);
  }
}

function putOffer(sink: Sink, offer: Offer): void {
  sink.uint(1, offer.offerId);
  sink.string(2, offer.queue);
  sink.uint(3, offer.rows);
  sink.string(4, offer.shapeKey);
  sink.uint(5, offer.bytes);
  sink.double(6, offer.timeoutMs);
  sink.double(7, offer.ageMs);
  sink.uint(8, offer.priority);
  sink.uint(9, offer.queueTimeoutUs);
  sink.flag(10, offer.solo);
  sink.flag(11, offer.background);
  putTrace(sink, 12, offer.trace);
  if (offer.requestId !== undefined) sink.string(13, offer.requestId);
  if (offer.why) sink.flag(14, true);
}

function putFacts(sink: Sink, { requests, rows, reason, queueUs }: BatchFacts): void {
  sink.open(5);
  sink.uint(1, requests);
  sink.uint(2, rows);
  sink.string(3, reason);
  sink.uint(4, queueUs);
  sink.close();
}

function putData(sink: Sink, data: Data): void {
  sink.uint(1, data.batchId);
  sink.uint(2, data.member);
  sink.uint(3, data.offerId);
  sink.string(4, data.requestId);
  for (const input of data.inputs) {
    sink.open(5);
    sink.uint(1, input.index);
    sink.uints(2, input.shape);
    putBytes(sink, 3, input.bytes);
    sink.close();
  }
  for (const output of data.outputs) {
    sink.open(6);
    sink.uint(1, output.index);
    sink.uint(2, output.classification);
    if (output.place) {
      sink.open(3);
      putFilePart(sink, 1, output.place.file);
      sink.string(2, output.place.region);
      sink.uint(3, output.place.offset);
      sink.close();
    }
    sink.close();
  }
  putTrace(sink, 7, data.trace);
}

function putTrace(sink: Sink, field: number, trace: Uint8Array | undefined): void {
  if (trace !== undefined) sink.bytes(field, trace);
}

/** Bytes in field `field`; in the one after it where they lie in shared memory, and in the next in a file. */
function putBytes(sink: Sink, field: number, bytes: MessageBytes): void {
  if (bytes instanceof Uint8Array || isPieces(bytes)) return sink.bytes(field, bytes);
  if (bytes instanceof FilePart) return putFilePart(sink, field + 2, bytes);
  if (!(bytes instanceof Block)) throw new RangeError('a link message holds bytes that are not here');
  sink.open(field + 1);
  sink.uint(1, bytes.offset);
  sink.uint(2, bytes.byteLength);
  return sink.close();
}

function putFilePart(sink: Sink, field: number, part: FilePart): void {
  sink.open(field);
  sink.uint(1, part.fd);
  sink.uint(2, part.device);
  sink.uint(3, part.inode);
  sink.uint(4, part.offset);
  sink.uint(5, part.byteLength);
  sink.close();
}

function putShare(sink: Sink, share: Share): void {
  sink.uint(1, shareStates.indexOf(share.state));
  sink.uint(2, share.pid);
  sink.uint(3, share.fd);
  sink.uint(4, share.size);
  sink.bytes(5, share.nonce);
}

function putDone(sink: Sink, done: Done): void {
  sink.uint(1, done.batchId);
  sink.uint(2, outcomes.indexOf(done.outcome));
  sink.uint(3, statusNumbers[done.code]);
  sink.string(4, done.message);
  for (const error of done.memberErrors) {
    sink.open(5);
    sink.uint(1, error.member);
    sink.uint(2, statusNumbers[error.code]);
    sink.string(3, error.message);
    sink.close();
  }
  sink.uints(6, done.absent);
  sink.double(7, done.waitNs);
  sink.double(8, done.computeInputNs);
  sink.double(9, done.computeInferNs);
  sink.double(10, done.computeOutputNs);
}
