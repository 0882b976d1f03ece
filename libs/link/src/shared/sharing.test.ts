import assert from 'node:assert';
import { createHash } from 'node:crypto';
import { ftruncateSync, readdirSync } from 'node:fs';
import { ShoalError } from '@shoal/core';
import { FakeClock } from '@shoal/testing';
import { type MessageBytes, releaseBytes, wholeBytes } from '../bytes';
import type { FrameMessage, Share } from '../carrier-messages';
import { decodeFrame } from '../codec/decode-frame';
import { FrameEncoder } from '../codec/frame-encoder';
import { FilePart } from '../file-part';
import type { Data, LinkMessage } from '../messages';
import { releaseMessage } from '../release-message';
import { Block } from './block';
import { firstBlock } from './shared-file';
import { SharedMemoryBudget } from './shared-memory-budget';
import { Sharing } from './sharing';

const kb = 1024;
const budgetBytes = 1000 * kb;
let clock: FakeClock;
let ends: End[];

/** An end of a link whose frames the test carries. */
class End {
  readonly sharing: Sharing;
  readonly sent: FrameMessage[] = [];
  readonly broken: ShoalError[] = [];

  constructor(folder = '/dev/shm') {
    this.sharing = new Sharing({
      clock,
      budget: new SharedMemoryBudget(budgetBytes, folder),
      send: (message) => this.sent.push(message),
      broken: (error) => this.broken.push(error),
    });
    ends.push(this);
  }

  send(message: LinkMessage): void {
    this.sent.push(this.sharing.outgoing(message));
  }

  /** Hands all that was sent to the other end, encoded; gives back what its owner gets. */
  carry(other: End): LinkMessage[] {
    const encoder = new FrameEncoder();
    for (const message of this.sent.splice(0)) encoder.add(message);
    const rider = this.sharing.rider();
    if (rider) encoder.add(rider);
    return decodeFrame(encoder.take()).flatMap((message) => other.sharing.incoming(message) ?? []);
  }
}

function openFiles(): number {
  return readdirSync('/proc/self/fd').length;
}

/** Two ends that have opened each other's files. */
function pair(): [near: End, far: End] {
  const near = new End();
  const far = new End();
  near.sharing.offer();
  near.carry(far);
  far.carry(near);
  near.carry(far);
  return [near, far];
}

const answer = (response: MessageBytes): LinkMessage => ({ kind: 'answer', offerId: 1, response, computeUs: 0 });

function data(...tensors: MessageBytes[]): Data {
  const inputs = tensors.map((bytes, index) => ({ index, shape: [1], bytes }));
  return { kind: 'data', batchId: 1, member: 0, offerId: 1, requestId: '', inputs, outputs: [] };
}

/** Of many bytes; to compare them one by one takes long. */
function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function tensorsOf(message: LinkMessage | undefined): MessageBytes[] {
  return message?.kind === 'data' ? message.inputs.map(({ bytes }) => bytes) : [];
}

let filesBefore: number;

beforeEach(() => {
  filesBefore = openFiles();
  clock = new FakeClock();
  ends = [];
});

afterEach(() => {
  for (const { sharing } of ends) sharing.end();
  assert.equal(openFiles(), filesBefore);
  assert.equal(clock.pending, 0);
});

test('large bytes arrive both ways and are not in the frame', () => {
  const [near, far] = pair();
  expect([near.sharing.active, far.sharing.active]).toEqual([true, true]);
  const small = Buffer.alloc(1000, 1);
  const large = Buffer.alloc(100 * kb, 2);
  near.send(data(small, large));
  const tensors = tensorsOf(near.carry(far)[0]);
  expect(tensors.map((bytes) => bytes instanceof Uint8Array)).toEqual([true, false]);
  expect(tensors.map((bytes) => digest(wholeBytes(bytes)))).toEqual([small, large].map(digest));
  far.send(answer([small, large]));
  const [message] = far.carry(near);
  expect(message?.kind === 'answer' && digest(wholeBytes(message.response))).toBe(
    digest(Buffer.concat([small, large])),
  );
});

test('the other end’s file is no larger than the first', () => {
  const near = new End();
  const far = new End();
  near.sharing.offer(300 * kb);
  near.carry(far);
  expect(far.sent.map((message) => message.kind === 'share' && message.size)).toEqual([0, 300 * kb]);
});

test('bytes are read where they are wanted', () => {
  const [near, far] = pair();
  near.send(data(Buffer.alloc(70 * kb, 5)));
  const [bytes] = tensorsOf(near.carry(far)[0]);
  const target = new Uint8Array(80 * kb);
  const remote = bytes as Block;
  expect(() => remote.readInto(target, 20 * kb)).toThrow(RangeError);
  remote.readInto(target, 5 * kb);
  expect([target[5 * kb - 1], target[5 * kb], target[75 * kb - 1], target[75 * kb]]).toEqual([0, 5, 5, 0]);
  remote.release();
  expect(() => remote.readInto(target, 0)).toThrow(ShoalError);
  expect(far.broken).toEqual([]);
});

test('without room bytes travel in the frame, until the reader has freed a block', () => {
  const [near, far] = pair();
  const large = Buffer.alloc(400 * kb);
  for (let i = 0; i < 3; i += 1) near.send(data(large));
  const received = near.carry(far).map((message) => tensorsOf(message)[0]!);
  expect(received.map((bytes) => bytes instanceof Block)).toEqual([true, true, false]);
  releaseBytes(received[0]!);
  releaseBytes(received[0]!);
  near.send(data(large));
  expect(tensorsOf(near.carry(far)[0])[0]).toBeInstanceOf(Uint8Array);
  far.carry(near);
  near.send(data(large));
  const [again] = tensorsOf(near.carry(far)[0]);
  expect(again).toBeInstanceOf(Block);
  for (const bytes of [received[1]!, again!]) releaseBytes(bytes);
});

test('what was read is told of in time when no frame leaves anyhow, and at once when it is much', () => {
  const [near, far] = pair();
  const free = (bytes: number) => {
    near.send(data(Buffer.alloc(bytes)));
    near.carry(far).forEach(releaseMessage);
  };
  free(70 * kb);
  expect(far.sent).toEqual([]);
  clock.advance(100);
  expect(far.sent).toEqual([{ kind: 'free', offsets: [firstBlock] }]);
  far.carry(near);
  free(200 * kb);
  expect(far.sent).toHaveLength(1);
});

test('a message that could not be sent leaves no block behind', () => {
  const [near, far] = pair();
  const large = Buffer.alloc(900 * kb);
  near.sharing.recall(near.sharing.outgoing(data(large)));
  near.send(data(large));
  const [bytes] = tensorsOf(near.carry(far)[0]);
  expect(bytes).toBeInstanceOf(Block);
  releaseBytes(bytes!);
});

test('the end of the link gives all back; what has arrived can still be read', () => {
  const [near, far] = pair();
  near.send(data(Buffer.alloc(100 * kb, 7)));
  const [bytes] = tensorsOf(near.carry(far)[0]);
  near.sharing.end();
  far.sharing.end();
  expect([near.sharing.active, far.sharing.active]).toEqual([false, false]);
  expect(digest(wholeBytes(bytes!))).toBe(digest(Buffer.alloc(100 * kb, 7)));
});

test('an end without shared memory opens the other’s all the same', () => {
  const near = new End();
  const far = new End('/nowhere');
  near.sharing.offer();
  near.carry(far);
  far.carry(near);
  expect([near.sharing.active, far.sharing.active]).toEqual([true, false]);
  const message = answer(Buffer.alloc(100 * kb));
  far.send(message);
  expect(far.sent[0]).toBe(message);
});

test.each([
  ['a process that is not there', { pid: 2 ** 40 }],
  ['a file that is not open', { fd: 1_000_000 }],
  ['a file that is none', { fd: 0 }],
  ['another nonce', { nonce: Buffer.alloc(16) }],
  ['a nonce of another length', { nonce: Buffer.alloc(0) }],
])('%s is refused: bytes travel in the frames', (_name, change: Partial<Share>) => {
  const [near, far] = [new End(), new End()];
  near.sharing.offer();
  near.sent[0] = { ...(near.sent[0] as Share), ...change };
  near.carry(far);
  expect(far.sent[0]).toMatchObject({ kind: 'share', state: 'refused' });
  far.carry(near);
  expect(near.sharing.active).toBe(false);
  const message = answer(Buffer.alloc(100 * kb));
  near.send(message);
  expect(near.sent.at(-1)).toBe(message);
});

describe('an end that breaks its word', () => {
  const blockAt = (offset: number, length: number) => data(new Block(offset, length));

  test.each([
    ['a block before the first one', () => blockAt(firstBlock - 1, 10)],
    ['a block beyond the end of what was written', () => blockAt(firstBlock, 10)],
    ['a block beyond the end', () => blockAt(firstBlock, budgetBytes - firstBlock + 1)],
    ['a block without an end', () => blockAt(firstBlock, 2 ** 53 - 1 - firstBlock)],
    ['an empty block', () => blockAt(firstBlock, 0)],
    ['a second file', () => ({ kind: 'share', state: 'offered', pid: 1, fd: 1, size: 1, nonce: Buffer.alloc(16) })],
    [
      'an answer to no offer',
      () => ({ kind: 'share', state: 'opened', pid: 0, fd: 0, size: 0, nonce: Buffer.alloc(0) }),
    ],
    ['a block freed that is not in use', () => ({ kind: 'free', offsets: [firstBlock] })],
  ] satisfies [string, () => FrameMessage][])('%s ends the link', (_name, message) => {
    const [near, far] = pair();
    near.sent.push(message());
    expect(() => near.carry(far)).toThrow(expect.objectContaining({ code: 'DATA_LOSS' }));
  });

  test('a block that is in use ends the link', () => {
    const [near, far] = pair();
    near.send(data(Buffer.alloc(100 * kb)));
    const [first] = near.carry(far);
    near.sent.push(blockAt(firstBlock, 10));
    expect(() => near.carry(far)).toThrow(expect.objectContaining({ code: 'DATA_LOSS' }));
    releaseMessage(first!);
  });

  test('bytes in memory that was never shared end the link', () => {
    const [near, far] = [new End(), new End()];
    const part = new FilePart({ fd: 1, device: 1, inode: 1, offset: 0, byteLength: 1 }, false);
    for (const bytes of [new Block(firstBlock, 10), part]) {
      near.sent.push(data(bytes));
      expect(() => near.carry(far)).toThrow(expect.objectContaining({ code: 'DATA_LOSS' }));
    }
  });

  test('a file made shorter is noticed where it is read', () => {
    const near = new End();
    const far = new End();
    near.sharing.offer();
    const { fd } = near.sent[0] as Share;
    near.carry(far);
    far.carry(near);
    near.send(data(Buffer.alloc(100 * kb)));
    const [bytes] = tensorsOf(near.carry(far)[0]);
    ftruncateSync(fd, firstBlock + 50 * kb);
    expect(() => wholeBytes(bytes!)).toThrow(expect.objectContaining({ code: 'DATA_LOSS' }));
    expect(far.broken).toHaveLength(1);
  });
});
