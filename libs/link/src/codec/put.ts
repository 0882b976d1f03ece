import { statusNumbers } from '@shoal/core';
import type { Data, Done, LinkMessage, Offer } from '../messages';
import { origins, outcomes, reasons, roles } from './names';
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
} as const satisfies Record<LinkMessage['kind'], number>;

/** Tells a message, as one element of a frame, to a sink. */
export function putMessage(sink: Sink, message: LinkMessage): void {
  sink.open(1);
  sink.open(kinds[message.kind]);
  putFields(sink, message);
  sink.close();
  sink.close();
}

function putFields(sink: Sink, message: LinkMessage): void {
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
      return sink.string(4, message.runner);
    case 'reject':
      sink.uint(1, message.offerId);
      sink.uint(2, statusNumbers[message.code]);
      sink.string(3, message.message);
      return sink.uint(4, origins.indexOf(message.origin));
    case 'batch':
      sink.uint(1, message.batchId);
      for (const router of message.routers) sink.element(2, router);
      return sink.uints(3, message.rows);
    case 'withdraw':
      sink.uint(1, message.batchId);
      return sink.uint(2, message.member);
    case 'answer':
      sink.uint(1, message.offerId);
      return sink.bytes(2, message.response);
    case 'refused':
      return sink.uint(1, message.offerId);
    case 'ready':
      sink.string(1, message.runner);
      sink.string(2, message.queue);
      return sink.uint(3, message.credits);
    case 'retire':
      return undefined;
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
    sink.bytes(3, input.bytes);
    sink.close();
  }
  for (const output of data.outputs) {
    sink.open(6);
    sink.uint(1, output.index);
    sink.uint(2, output.classification);
    sink.close();
  }
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
