import { ShoalError, seededRandom, systemClock, systemRandom } from '@shoal/core';
import { type RpcClient, type StreamCall, createClient } from '@shoal/rpc';
import { assertNothingOpen, openNow } from '@shoal/testing';
import { frameTypes } from '../../libs/http2/src/frames/constants';
import { RawPeer } from '../../libs/http2/src/testing/raw-peer';
import { NativeServer } from '../../libs/rpc/src/native/server/native-server';
import { echoService } from '../../libs/rpc/src/testing/echo-service';
import { eventually, sleep } from '../support/waiting';
import { conversation } from './conversations';

/*
 * Whole gRPC conversations, bent and broken, over sockets to a native server. RPC_FUZZ_FRAMES says how many frames at least (default:
 * a short run), FUZZ_SEED which.
 */
const frames = Number(process.env['RPC_FUZZ_FRAMES'] ?? 20_000);
const seed = Number(process.env['FUZZ_SEED'] ?? Math.floor(systemRandom.next() * 2 ** 32));
const atOnce = 32;

type Call = StreamCall<string, string>;

const handlers = {
  Unary(text: string, call: Call) {
    call.setHeaders({ 'x-text': (call.header('x-text') ?? '').slice(0, 100) });
    const bytes = call.binaryHeader('x-data-bin');
    if (bytes) call.setTrailers({ 'x-data-bin': bytes });
    if (text === 'fail') throw new ShoalError('NOT_FOUND', 'no');
    return text === 'later' ? sleep(5).then(() => text) : text;
  },
  Upload(call: Call) {
    let length = 0;
    call.onMessage((text) => (length += text.length));
    call.onEnd(() => {
      call.write(String(length));
      call.end();
    });
  },
  Download(text: string, call: Call) {
    call.compressResponses('low');
    for (let i = 0; i < 5; i += 1) call.write(text);
    call.end(text === 'fail' ? new ShoalError('ABORTED', 'enough') : undefined);
  },
  Chat(call: Call) {
    call.onMessage((text) => {
      if (text === 'fail') call.end(new ShoalError('ABORTED', 'enough'));
      else if (text === 'later') call.pause();
      else call.write(text);
      if (text === 'later') void sleep(5).then(() => call.resume());
    });
    call.onEnd(() => call.end());
  },
};

let openBefore: string[];
let reported: unknown[];
let server: NativeServer;
let port: number;
let neighbour: RpcClient;

beforeEach(async () => {
  openBefore = openNow();
  reported = [];
  const onError = (thrown: unknown) => reported.push(thrown);
  server = new NativeServer({ clock: systemClock, maxMessageBytes: 1 << 20, onError });
  server.addService(echoService, handlers);
  port = await server.listen('127.0.0.1:0');
  neighbour = createClient(`127.0.0.1:${port}`);
});

afterEach(async () => {
  neighbour.close();
  await server.drain(1000);
  await assertNothingOpen(openBefore);
});

test(
  `broken conversations, ${frames} frames, FUZZ_SEED=${seed}`,
  async () => {
    const random = seededRandom(seed);
    const outcomes = { understood: 0, ended: 0, silent: 0 };
    let sent = 0;
    while (sent < frames) {
      const talks = Array.from({ length: atOnce }, () => conversation(random));
      for (const talk of talks) sent += talk.length;
      await Promise.all(talks.map((talk) => hold(talk, outcomes)));
      const answer = neighbour.unary(echoService.Unary, 'still there?', { timeoutMs: 10_000 });
      await expect(answer).resolves.toBe('still there?');
    }
    await eventually('all calls of those who have left are over', () => server.calls.size === 0);
    expect(server.room.memory.used).toBe(0);
    expect(server.held.used).toBe(0);
    expect(server.room.partials?.size).toBe(0);
    // What clients send is no fault of ours.
    expect(reported).toEqual([]);
    // It is no fuzzing if all is right, or all is wrong.
    expect(outcomes.understood).toBeGreaterThan(0);
    expect(outcomes.ended).toBeGreaterThan(0);
  },
  60_000 + frames,
);

/** Says it all, in pieces, and leaves when the ping is answered, the connection is ended, or nothing comes any more. */
async function hold(talk: readonly Buffer[], outcomes: Record<string, number>): Promise<void> {
  const peer = await RawPeer.connect(port);
  const bytes = Buffer.concat(talk);
  const cut = Math.floor(bytes.length / 3);
  for (const piece of [bytes.subarray(0, cut), bytes.subarray(cut, cut + 7), bytes.subarray(cut + 7)]) {
    peer.send(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  for (let waited = 0; waited < 20 && outcome(peer) === 'silent'; waited += 1) await sleep(2);
  outcomes[outcome(peer)]! += 1;
  peer.destroy();
}

function outcome(peer: RawPeer): 'understood' | 'ended' | 'silent' {
  if (peer.closed || peer.goAway !== undefined) return 'ended';
  const answered = peer.seen.some(({ type, payload }) => type === frameTypes.PING && String(payload) === 'the last');
  return answered ? 'understood' : 'silent';
}
