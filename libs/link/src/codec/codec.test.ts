import { type ErrorCode, ShoalError, statusNumbers } from '@shoal/core';
import * as fc from 'fast-check';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Root } from 'protobufjs';
import { type MessageBytes, wholeBytes } from '../bytes';
import type { FrameMessage } from '../carrier-messages';
import { FilePart } from '../file-part';
import { traceBytes } from '../messages';
import { Block } from '../shared/block';
import { decodeFrame } from './decode-frame';
import { FrameEncoder } from './frame-encoder';

const Frame = new Root()
  .loadSync(join(protoFolder(__dirname), 'shoal', 'link', 'v1', 'link.proto'))
  .lookupType('shoal.link.v1.Frame');

function protoFolder(from: string): string {
  const folder = join(from, 'proto', 'shoal');
  return existsSync(folder) ? join(from, 'proto') : protoFolder(dirname(from));
}

const whole = fc.oneof(fc.maxSafeNat(), fc.nat(300), fc.constantFrom(0, 127, 128, 2 ** 31 - 1, 2 ** 31, 2 ** 53 - 1));
const time = fc.double({ min: 0, noNaN: true }).map((x) => x + 0);
const text = fc.oneof(fc.string(), fc.string({ unit: 'grapheme', maxLength: 80 }));
const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
const code = fc.constantFrom(...(Object.keys(statusNumbers) as ErrorCode[]));
const block = fc.tuple(whole, whole).map(([offset, length]) => new Block(offset, length));
const file = fc
  .record({ fd: whole, device: whole, inode: whole, offset: whole, byteLength: whole })
  .map((fields) => new FilePart(fields, false));
const input = fc.record({ index: whole, shape: fc.array(whole), bytes: fc.oneof(bytes, block, file) });
const place = fc.record({ file, region: text, offset: whole });
const output = fc.record({ index: whole, classification: whole, place }, { requiredKeys: ['index', 'classification'] });
const trace = fc.uint8Array({ minLength: 25, maxLength: 25 }).map((array) => Buffer.from(array));
const facts = fc.record({ requests: whole, rows: whole, reason: text, queueUs: whole });
/** Without it when empty, as it travels. */
const requestId = fc.string({ minLength: 1, maxLength: 80 });
const memberError = fc.record({ member: whole, code, message: text });

/** A message that has a trace or has none. */
function maybeTraced<M extends object, T extends object>(fields: Fields<M>, withTrace?: Fields<T>) {
  return fc.oneof(
    fc.record<M>(fields),
    fc.record<M & T>({ ...fields, ...withTrace, trace } as unknown as Fields<M & T>),
  );
}

type Fields<M> = { readonly [K in keyof M]: fc.Arbitrary<M[K]> };

const anyMessage: fc.Arbitrary<FrameMessage> = fc.oneof(
  fc.record({ kind: fc.constant('hello'), role: fc.constantFrom('router', 'batching', 'runner'), id: text }),
  maybeTraced({
    kind: fc.constant('offer'),
    offerId: whole,
    queue: text,
    rows: whole,
    shapeKey: text,
    bytes: whole,
    timeoutMs: time,
    ageMs: time,
    priority: whole,
    queueTimeoutUs: whole,
    solo: fc.boolean(),
    background: fc.boolean(),
  }).chain((offer) =>
    fc
      .record({ requestId, why: fc.constant(true as const) }, { requiredKeys: [] })
      .map((asked) => ({ ...offer, ...asked })),
  ),
  fc.record({ kind: fc.constant('cancel'), offerId: whole, reason: fc.constantFrom('cancelled', 'deadline') }),
  fc.record(
    { kind: fc.constant('send'), offerId: whole, batchId: whole, member: whole, runner: text, facts },
    { requiredKeys: ['kind', 'offerId', 'batchId', 'member', 'runner'] },
  ),
  fc.record({
    kind: fc.constant('reject'),
    offerId: whole,
    code,
    message: text,
    origin: fc.constantFrom('model', 'queue'),
  }),
  fc.record({
    kind: fc.constant('reject'),
    offerId: whole,
    code,
    message: text,
    origin: fc.constantFrom('model', 'queue'),
    retryMs: fc.constantFrom(0.25, 1, 30_000),
  }),
  maybeTraced(
    { kind: fc.constant('batch'), batchId: whole, routers: fc.array(text), rows: fc.array(whole) },
    { grantedMs: time },
  ),
  maybeTraced({
    kind: fc.constant('data'),
    batchId: whole,
    member: whole,
    offerId: whole,
    requestId: text,
    inputs: fc.array(input, { maxLength: 4 }),
    outputs: fc.array(output, { maxLength: 4 }),
  }),
  fc.record({ kind: fc.constant('withdraw'), batchId: whole, member: whole }),
  fc.record({ kind: fc.constant('answer'), offerId: whole, response: fc.oneof(bytes, block), computeUs: whole }),
  fc.record({ kind: fc.constant('refused'), offerId: whole }),
  fc.record({ kind: fc.constant('ready'), runner: text, queue: text, credits: whole }),
  fc.record({
    kind: fc.constant('done'),
    batchId: whole,
    outcome: fc.constantFrom('ok', 'failed', 'refused'),
    code,
    message: text,
    memberErrors: fc.array(memberError, { maxLength: 4 }),
    absent: fc.array(whole),
    waitNs: time,
    computeInputNs: time,
    computeInferNs: time,
    computeOutputNs: time,
  }),
  fc.record({ kind: fc.constant('retire') }),
  fc.record({
    kind: fc.constant('share'),
    state: fc.constantFrom('offered', 'opened', 'refused'),
    pid: whole,
    fd: whole,
    size: whole,
    nonce: bytes,
  }),
  fc.record({ kind: fc.constant('free'), offsets: fc.array(whole) }),
);

const messages = fc.array(anyMessage, { maxLength: 8 });

function encode(list: readonly FrameMessage[]): Buffer {
  const encoder = new FrameEncoder();
  for (const message of list) encoder.add(message);
  expect(encoder.isEmpty).toBe(list.length === 0);
  const { size } = encoder;
  const frame = encoder.take();
  expect(frame).toHaveLength(size);
  expect(encoder.size).toBe(0);
  return frame;
}

/** A message in protobufjs's words. */
function plain(message: FrameMessage): object {
  const { kind, ...fields } = message;
  const words: Record<string, unknown> = { ...fields };
  for (const name of ['role', 'reason', 'origin', 'outcome', 'state']) {
    if (typeof words[name] === 'string') words[name] = words[name].toUpperCase();
  }
  if (message.kind === 'offer' || message.kind === 'batch' || message.kind === 'data') {
    words['trace'] = message.trace ?? Buffer.alloc(0);
    if (message.kind === 'offer')
      Object.assign(words, { requestId: message.requestId ?? '', why: message.why ?? false });
    if (message.kind === 'batch') words['grantedMs'] = message.grantedMs ?? 0;
  }
  if (message.kind === 'send') words['facts'] = message.facts ?? null;
  if (message.kind === 'reject') words['retryMs'] = message.retryMs ?? 0;
  if ('code' in message) words['code'] = statusNumbers[message.code];
  if ('memberErrors' in message) {
    words['memberErrors'] = message.memberErrors.map((error) => ({ ...error, code: statusNumbers[error.code] }));
  }
  if (message.kind === 'data') {
    words['inputs'] = message.inputs.map(({ bytes: content, ...others }) => ({
      ...others,
      ...where('bytes', content),
    }));
    words['outputs'] = message.outputs.map((one) => ({ ...one, place: one.place ?? null }));
  }
  if (message.kind === 'answer') {
    delete words['response'];
    Object.assign(words, where('response', message.response));
  }
  return { [kind]: words };
}

/** Bytes in the field that says where they are; all other fields have their defaults. */
function where(name: 'bytes' | 'response', content: MessageBytes): object {
  const nowhere = { [name]: Buffer.alloc(0), block: null, ...(name === 'bytes' && { file: null }) };
  if (content instanceof Block) return { ...nowhere, block: { offset: content.offset, length: content.byteLength } };
  if (content instanceof FilePart) return { ...nowhere, file: Object.assign({}, content) };
  return { ...nowhere, [name]: content };
}

test('protobufjs understands what we encode', () => {
  fc.assert(
    fc.property(messages, (list) => {
      const options = { longs: Number, enums: String, defaults: true, arrays: true, bytes: Buffer };
      const { messages: understood } = Frame.toObject(Frame.decode(encode(list)), options) as { messages: object[] };
      expect(understood).toEqual(list.map(plain));
    }),
  );
});

test('we understand what protobufjs encodes', () => {
  fc.assert(
    fc.property(messages, (list) => {
      const frame = Frame.encode(Frame.fromObject({ messages: list.map(plain) })).finish();
      expect(decodeFrame(Buffer.from(frame))).toEqual(list);
    }),
  );
});

test('we understand ourselves', () => {
  fc.assert(fc.property(messages, (list) => expect(decodeFrame(encode(list))).toEqual(list)));
});

test('names that repeat each other, or nearly, stay themselves', () => {
  // The second of each pair has as many bytes as the first has characters, of the same numbers.
  const routers = ['r1', 'r1', 'r2', '\u00c3\u00a9', '\u00e9', 'e', '', '', 'r1'];
  const batch = { kind: 'batch', batchId: 1, routers, rows: routers.map(() => 1) } as const;
  expect(decodeFrame(encode([batch]))).toEqual([batch]);
});

test('fields, kinds and forms of a later release are passed over; unpacked numbers are read', () => {
  const nested = (field: number, content: number[]) => [(field << 3) | 2, content.length, ...content];
  const strange = [...nested(1, [0x99, 1, 1, 2, 3, 4, 5, 6, 7, 8]), 0x28, 9, ...nested(2, [1]), 0x3d, 1, 2, 3, 4];
  const batch = [0x08, 5, ...strange.slice(12), 0x18, 7, 0x18, 8];
  const frame = [0x78, 1, ...nested(1, [0x82, 1, 2, 1, 2]), ...nested(1, nested(6, batch))];
  expect(decodeFrame(Buffer.from(frame))).toEqual([{ kind: 'batch', batchId: 5, routers: ['\u0001'], rows: [7, 8] }]);
});

test('a place in a trace outlives the frame, and one of another length is none', () => {
  const somewhere = Buffer.from(Array.from({ length: traceBytes }, (_, i) => i + 1));
  const batch: FrameMessage = {
    kind: 'batch',
    batchId: 1,
    routers: ['r'],
    rows: [1],
    trace: somewhere,
    grantedMs: 1.5,
  };
  const frame = encode([batch]);
  const [message] = decodeFrame(frame);
  frame.fill(0);
  expect(message).toEqual(batch);
  for (const length of [0, 7, 24, 26]) {
    const odd = encode([{ ...batch, trace: Buffer.alloc(length, 1) }]);
    expect(decodeFrame(odd)).toEqual([{ kind: 'batch', batchId: 1, routers: ['r'], rows: [1] }]);
  }
});

test('tensors are views of the frame', () => {
  const tensor = Buffer.from('some bytes of a tensor');
  const data: FrameMessage = {
    kind: 'data',
    batchId: 1,
    member: 0,
    offerId: 2,
    requestId: '',
    inputs: [{ index: 0, shape: [22], bytes: tensor }],
    outputs: [],
  };
  const frame = encode([data]);
  const [message] = decodeFrame(frame);
  frame.write('SOME', frame.indexOf('some'));
  const decoded = message?.kind === 'data' && wholeBytes(message.inputs[0]!.bytes);
  expect(decoded && decoded.toString()).toBe('SOME bytes of a tensor');
});

/** What decoding throws; undefined when the bytes happen to be a frame. */
function thrownBy(frame: Buffer): unknown {
  try {
    decodeFrame(frame);
    return undefined;
  } catch (thrown) {
    return thrown;
  }
}

/** Nothing, or our error with its text. */
function isOurs(thrown: unknown): boolean {
  if (thrown === undefined) return true;
  return (
    thrown instanceof ShoalError && thrown.code === 'DATA_LOSS' && thrown.message.startsWith('malformed link frame')
  );
}

test('a frame cut within a message is malformed', () => {
  fc.assert(
    fc.property(anyMessage, fc.nat(), (message, at) => {
      const frame = encode([message]);
      const cut = frame.subarray(0, 1 + (at % (frame.length - 1)));
      expect(() => decodeFrame(cut)).toThrow(ShoalError);
    }),
  );
});

test('whatever the bytes, nothing but a ShoalError is thrown', () => {
  const flips = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(messages, flips, (list, changes) => {
      const frame = encode(list);
      for (const [at, value] of changes) if (frame.length > 0) frame[at % frame.length] = value;
      expect(isOurs(thrownBy(frame))).toBe(true);
    }),
    { numRuns: 1000 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (array) => expect(isOurs(thrownBy(Buffer.from(array)))).toBe(true)),
    { numRuns: 1000 },
  );
});

test.each([
  ['a number above 2^53-1', [0x0a, 12, 0x52, 10, 0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]],
  ['a word that is not known', [0x0a, 4, 0x0a, 2, 0x08, 9]],
  ['a word that is missing', [0x0a, 2, 0x0a, 0]],
  ['a length beyond its message', [0x0a, 4, 0x0a, 3, 0x08, 1]],
  ['a group', [0x0b]],
])('%s is malformed', (_name, frame) => {
  expect(() => decodeFrame(Buffer.from(frame))).toThrow('malformed link frame');
});

test.each([-1, 0.5, Number.NaN, 2 ** 53])('%d is no number to send, and leaves the frame as it was', (offerId) => {
  const encoder = new FrameEncoder();
  const fine: FrameMessage = { kind: 'send', offerId: 1, batchId: 2, member: 3, runner: 'r' };
  encoder.add(fine);
  expect(() => encoder.add({ kind: 'send', offerId: 4, batchId: offerId, member: 0, runner: 'x' })).toThrow(RangeError);
  expect(() => encoder.add({ kind: 'batch', batchId: 1, routers: ['a'], rows: [offerId] })).toThrow(RangeError);
  encoder.add(fine);
  expect(decodeFrame(encoder.take())).toEqual([fine, fine]);
});

test('bytes in pieces are one field', () => {
  const pieces = [Buffer.from('one'), Buffer.alloc(0), Buffer.from(' after the other')];
  const [message] = decodeFrame(encode([{ kind: 'answer', offerId: 1, response: pieces, computeUs: 0 }]));
  expect(message).toEqual({ kind: 'answer', offerId: 1, response: Buffer.concat(pieces), computeUs: 0 });
});

test('the last message can be taken out again', () => {
  const encoder = new FrameEncoder();
  const first: FrameMessage = { kind: 'ready', runner: 'r', queue: 'q', credits: 2 };
  encoder.add(first);
  encoder.dropLast(encoder.add({ kind: 'send', offerId: 1, batchId: 2, member: 3, runner: 'gone' }));
  encoder.add({ kind: 'refused', offerId: 7 });
  expect(decodeFrame(encoder.take())).toEqual([first, { kind: 'refused', offerId: 7 }]);
});
