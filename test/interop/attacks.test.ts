import { gzipSync } from 'node:zlib';
import { loadService } from '@shoal/rpc';
import { flags, frameTypes } from '../../libs/http2/src/frames/constants';
import { block, frame, request, settings, word } from '../../libs/http2/src/testing/frames';
import { RawPeer } from '../../libs/http2/src/testing/raw-peer';
import { type Shoal, startShoal } from '../support/shoal';
import { float32, inferRequest, simpleRequest } from '../support/tensors';
import { eventually } from '../support/waiting';
import { attacker, besiege, call, data, portOf, prefixed } from './siege';

/*
 * Attacks on the public port of a whole server on the native carrier. Each shows what it costs the server and that a neighbour is
 * served meanwhile. libs/http2 has the same ones by themselves, with its limits and its clock in hand.
 */
const { CONTINUATION, DATA, HEADERS, PING, PRIORITY, RST_STREAM, WINDOW_UPDATE } = frameTypes;
const infer = '/inference.GRPCInferenceService/ModelInfer';
const streamInfer = '/inference.GRPCInferenceService/ModelStreamInfer';
const maxMessage = 16 * 1024 * 1024;
const inference = loadService('inference/grpc_service.proto', 'inference.GRPCInferenceService');
const serialize = (message: object) => inference['ModelInfer']!.requestSerialize(message);
const small = serialize(simpleRequest(1));
/** 256 KiB there and back. */
const large = serialize(
  inferRequest('identity_fp32', [float32('INPUT0', [1, 65_536], new Array<number>(65_536).fill(1))]),
);

let shoal: Shoal;
let peers: RawPeer[];
/** Opened before the first attack, and looked at after the last one. */
let silent: RawPeer[];
let dribbling: RawPeer[];

beforeAll(async () => {
  shoal = await startShoal({
    models: { simple: {}, identity_fp32: {} },
    args: ['--grpc-carrier=native', `--grpc-max-message-bytes=${maxMessage}`],
  });
  silent = await Promise.all(Array.from({ length: 200 }, () => RawPeer.connect(portOf(shoal))));
  dribbling = await Promise.all(Array.from({ length: 200 }, () => attacker(shoal)));
  // Half a header block each, and no more.
  for (const peer of dribbling) peer.send(request(1, false, infer).subarray(0, 20));
}, 60_000);

beforeEach(() => (peers = []));

afterEach(() => {
  for (const peer of peers) peer.destroy();
});

afterAll(() => shoal.stop(), 40_000);

async function open(...own: [number, number][]): Promise<RawPeer> {
  const peer = await attacker(shoal, ...own);
  peers.push(peer);
  return peer;
}

/** What each flood may cost at most: far below what floods without a defence cost. */
const fewMb = 100;
const littleCpuMs = 2500;

/** Floods on several connections, one after another, each until the server ends it. */
async function flood(count: number, bytes: (i: number) => Buffer): Promise<(string | undefined)[]> {
  const ends: (string | undefined)[] = [];
  const toll = await besiege(shoal, async () => {
    for (let again = 0; again < 5; again += 1) {
      const peer = await open();
      await peer.flood(count, bytes);
      await eventually('the connection is ended', () => peer.closed || peer.goAway !== undefined);
      ends.push(peer.goAway);
    }
  });
  expect(toll.served).toBeGreaterThan(0);
  expect(toll.memoryMb).toBeLessThan(fewMb);
  expect(toll.cpuMs).toBeLessThan(littleCpuMs);
  return ends;
}

const withoutEnd = (i: number) => call(2 * i + 1, infer, small, false);
const reset = (i: number) => frame(RST_STREAM, 0, 2 * i + 1, word(8));
const first = (bytes: Buffer, then: (i: number) => Buffer) => (i: number) => (i === 0 ? bytes : then(i));

test.each<[string, (i: number) => Buffer]>([
  ['rapid reset (CVE-2023-44487)', (i) => Buffer.concat([call(2 * i + 1, infer), reset(i)])],
  ['rapid reset of whole requests', (i) => Buffer.concat([call(2 * i + 1, infer, small), reset(i)])],
  [
    'made-you-reset (CVE-2025-8671), by an empty window update',
    (i) => Buffer.concat([withoutEnd(i), frame(WINDOW_UPDATE, 0, 2 * i + 1, word(0))]),
  ],
  [
    'made-you-reset, by a window that overflows',
    (i) => Buffer.concat([withoutEnd(i), frame(WINDOW_UPDATE, 0, 2 * i + 1, word(0x7fffffff))]),
  ],
  [
    'CONTINUATION (CVE-2024-27316)',
    first(frame(HEADERS, 0, 1, block(':method', 'POST')), () => frame(CONTINUATION, 0, 1, block('x', 'y'.repeat(900)))),
  ],
  ['SETTINGS', () => settings([4, 65_535])],
  ['PING', () => frame(PING, 0, 0, Buffer.alloc(8))],
  ['PRIORITY', (i) => frame(PRIORITY, 0, 2 * i + 101, Buffer.concat([word(1), Buffer.from([1])]))],
  ['empty DATA', first(call(1, streamInfer), () => frame(DATA, 0, 1))],
  ['tiny WINDOW_UPDATE', () => frame(WINDOW_UPDATE, 0, 0, word(1))],
  ['unknown frames', () => frame(0x77, 0, 0)],
  ['too many streams', (i) => call(2 * i + 1, streamInfer)],
])(
  'flood: %s',
  async (_what, bytes) => {
    for (const end of await flood(100_000, bytes)) expect(end).toBe('ENHANCE_YOUR_CALM');
  },
  60_000,
);

test('flood: HPACK bombs', async () => {
  const bomb = Buffer.concat([
    Buffer.from([0x82, 0x86, 0x84]),
    // x with 4,000 octets, indexed; then many references to it.
    Buffer.from([0x40, 1, 0x78, 0x7f, 0xa1, 0x1e]),
    Buffer.alloc(4000, 0x61),
    Buffer.alloc(12_000, 0xbe),
  ]);
  const ends = await flood(5000, (i) =>
    frame(HEADERS, flags.END_HEADERS | flags.END_STREAM, 2 * i + 1, i === 0 ? bomb : bomb.subarray(4006)),
  );
  for (const end of ends) expect(end).toBe('ENHANCE_YOUR_CALM');
}, 60_000);

test('thousands of streams that stay open, within what is allowed', async () => {
  const toll = await besiege(shoal, async () => {
    for (let connection = 0; connection < 10; connection += 1) {
      const peer = await open();
      await peer.flood(1000, (i) => call(2 * i + 1, streamInfer));
      await answered(peer);
    }
  });
  expect(toll.memoryMb).toBeLessThan(fewMb);
  expect(toll.cpuMs).toBeLessThan(littleCpuMs);
});

test('zero window: answers that may not be sent', async () => {
  const toll = await besiege(shoal, async () => {
    const peer = await open([4, 0]);
    const goal = (await answers()) + 300;
    await peer.flood(300, (i) => call(2 * i + 1, infer, large));
    await eventually('all are computed', async () => (await answers()) >= goal);
    // 75 MB wait; from 64 MiB on, streams are refused.
    peer.send(call(601, infer, small));
    await eventually('a stream is refused', () =>
      peer.seen.some(({ type, streamId, payload }) => type === RST_STREAM && streamId === 601 && payload[3] === 7),
    );
  });
  // The requests, the answers, and what is on its way between processes.
  expect(toll.memoryMb).toBeLessThan(400);
}, 60_000);

test('slow read: answers that nobody takes from the socket', async () => {
  const toll = await besiege(shoal, async () => {
    const peer = await open([4, 0x7fffffff]);
    peer.send(frame(WINDOW_UPDATE, 0, 0, word(0x7fff0000 - 65_535)));
    peer.socket.pause();
    const goal = (await answers()) + 300;
    await peer.flood(300, (i) => call(2 * i + 1, infer, large));
    await eventually('all are computed', async () => (await answers()) >= goal);
  });
  expect(toll.memoryMb).toBeLessThan(400);
}, 60_000);

test('a thousand messages of 16 MB announced, and a little of each sent', async () => {
  const toll = await besiege(shoal, async () => {
    for (let connection = 0; connection < 10; connection += 1) {
      const peer = await open();
      const part = prefixed(Buffer.alloc(4000), { length: maxMessage });
      await peer.flood(100, (i) => Buffer.concat([call(2 * i + 1, infer), data(2 * i + 1, part)]));
      await answered(peer);
    }
    // Room is made for whoever sends what he announces.
    await shoal.raw.unary(infer, large).then(({ status }) => expect(status).toBe('OK'));
  });
  expect(toll.memoryMb).toBeLessThan(fewMb);
}, 60_000);

test('messages that inflate to a thousand times their size', async () => {
  const bomb = gzipSync(Buffer.alloc(200 * 1024 * 1024));
  const toll = await besiege(shoal, async () => {
    const peer = await open();
    for (let i = 0; i < 20; i += 1) {
      const id = 2 * i + 1;
      const head = request(id, false, infer, 'content-type', 'application/grpc', 'grpc-encoding', 'gzip');
      peer.send(head, data(id, prefixed(bomb, { compressed: true }), true));
    }
    await eventually('all are answered', () => peer.seen.filter(({ type }) => type === HEADERS).length === 20);
    await answered(peer);
  });
  expect(toll.memoryMb).toBeLessThan(20 * 16 + fewMb);
}, 60_000);

test('slow loris: who says nothing, or never comes to the end of a sentence, is sent away', async () => {
  const left = () => [...silent, ...dribbling].filter(({ closed }) => !closed).length;
  await eventually('all are closed', () => left() === 0, 20_000);
  expect(left()).toBe(0);
}, 30_000);

/** How many requests the large model has answered. */
async function answers(): Promise<number> {
  const { model_stats: stats } = await shoal.client.call('ModelStatistics', { name: 'identity_fp32' });
  return stats[0]?.inference_count ?? 0;
}

/** What the connection has sent has been seen by the server: frames are handled in order. */
async function answered(peer: RawPeer): Promise<void> {
  peer.send(frame(PING, 0, 0, Buffer.from('answered')));
  await eventually('the ping comes back', () =>
    peer.seen.some(({ type, payload }) => type === PING && payload.toString() === 'answered'),
  );
}
