import type { FrameMessage } from '../carrier-messages';
import type { BatchFacts, Cancel, Hello, LinkMessage, Reject, Send } from '../messages';
import { codeOf, origins, reasons, roles, word } from './names';
import { kinds } from './put';
import { readAnswer, readBatch, readData } from './read-data';
import { readDone } from './read-done';
import { readOffer } from './read-offer';
import { readFree, readShare } from './read-shared';
import type { WireReader } from './wire-reader';

const byKind: readonly (((reader: WireReader) => FrameMessage) | undefined)[] = table({
  hello: readHello,
  offer: readOffer,
  cancel: readCancel,
  send: readSend,
  reject: readReject,
  batch: readBatch,
  data: readData,
  withdraw: readWithdraw,
  answer: readAnswer,
  refused: readRefused,
  ready: readReady,
  done: readDone,
  retire: readRetire,
  share: readShare,
  free: readFree,
});

function table(readers: { [K in FrameMessage['kind']]: (reader: WireReader) => FrameMessage }) {
  const byNumber: ((reader: WireReader) => FrameMessage)[] = [];
  for (const [kind, read] of Object.entries(readers)) byNumber[kinds[kind as FrameMessage['kind']]] = read;
  return byNumber;
}

/** Reads one `Message`; undefined when its kind is not known. As in protobuf, the last of several kinds counts. */
export function readMessage(reader: WireReader): FrameMessage | undefined {
  let message: FrameMessage | undefined;
  while (reader.more()) {
    const tag = reader.tag();
    const read = (tag & 7) === 2 ? byKind[tag >>> 3] : undefined;
    if (!read) {
      reader.skip(tag);
      continue;
    }
    const outer = reader.enter();
    message = read(reader);
    reader.leave(outer);
  }
  return message;
}

function readHello(reader: WireReader): Hello {
  let role = 0;
  let id = '';
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x08) role = reader.uint();
    else if (tag === 0x12) id = reader.string();
    else reader.skip(tag);
  }
  return { kind: 'hello', role: word(roles, role, 'role'), id };
}

function readCancel(reader: WireReader): Cancel {
  let offerId = 0;
  let reason = 0;
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x08) offerId = reader.uint();
    else if (tag === 0x10) reason = reader.uint();
    else reader.skip(tag);
  }
  return { kind: 'cancel', offerId, reason: word(reasons, reason, 'cancel reason') };
}

function readSend(reader: WireReader): Send {
  let offerId = 0;
  let batchId = 0;
  let member = 0;
  let runner = '';
  let facts: BatchFacts | undefined;
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x08) offerId = reader.uint();
    else if (tag === 0x10) batchId = reader.uint();
    else if (tag === 0x18) member = reader.uint();
    else if (tag === 0x22) runner = reader.string();
    else if (tag === 0x2a) {
      const outer = reader.enter();
      facts = readFacts(reader);
      reader.leave(outer);
    } else reader.skip(tag);
  }
  const send: Send = { kind: 'send', offerId, batchId, member, runner };
  return facts ? { ...send, facts } : send;
}

function readFacts(reader: WireReader): BatchFacts {
  let requests = 0;
  let rows = 0;
  let reason = '';
  let queueUs = 0;
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x08) requests = reader.uint();
    else if (tag === 0x10) rows = reader.uint();
    else if (tag === 0x1a) reason = reader.string();
    else if (tag === 0x20) queueUs = reader.uint();
    else reader.skip(tag);
  }
  return { requests, rows, reason, queueUs };
}

function readReject(reader: WireReader): Reject {
  let offerId = 0;
  let code = 0;
  let message = '';
  let origin = 0;
  let retryMs = 0;
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x08) offerId = reader.uint();
    else if (tag === 0x10) code = reader.uint();
    else if (tag === 0x1a) message = reader.string();
    else if (tag === 0x20) origin = reader.uint();
    else if (tag === 0x29) retryMs = reader.double();
    else reader.skip(tag);
  }
  return {
    kind: 'reject',
    offerId,
    code: codeOf(code),
    message,
    origin: word(origins, origin, 'reject origin'),
    ...(retryMs > 0 && { retryMs }),
  };
}

function readWithdraw(reader: WireReader): LinkMessage {
  let batchId = 0;
  let member = 0;
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x08) batchId = reader.uint();
    else if (tag === 0x10) member = reader.uint();
    else reader.skip(tag);
  }
  return { kind: 'withdraw', batchId, member };
}

function readRefused(reader: WireReader): LinkMessage {
  let offerId = 0;
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x08) offerId = reader.uint();
    else reader.skip(tag);
  }
  return { kind: 'refused', offerId };
}

function readReady(reader: WireReader): LinkMessage {
  let runner = '';
  let queue = '';
  let credits = 0;
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x0a) runner = reader.string();
    else if (tag === 0x12) queue = reader.string();
    else if (tag === 0x18) credits = reader.uint();
    else reader.skip(tag);
  }
  return { kind: 'ready', runner, queue, credits };
}

function readRetire(reader: WireReader): LinkMessage {
  while (reader.more()) reader.skip(reader.tag());
  return { kind: 'retire' };
}
