import { ShoalError } from '@shoal/core';
import { assembleInferResponse, scanInferRequest, wrapStreamResponse } from '@shoal/protocol';
import { type RpcClient, type RpcServer, type StreamCall, createClient, createServer, loadService } from '@shoal/rpc';
import { bytesOf } from '@shoal/tensor';
import { FakeClock, assertNothingOpen, openNow, until } from '@shoal/testing';
import type { AskSource } from './ask';
import { type DriveLimits, type Usage, drive } from './drive';
import { Pace } from './pace';
import { PredictionStream } from './prediction-stream';
import { RowRequests } from './row-requests';

/** A router that keeps requests until the test lets it answer; each row of `x` is answered by its double. */
class HeldRouter {
  readonly server: RpcServer;
  readonly held: { readonly message: Buffer; readonly call: StreamCall<Buffer, Buffer> }[] = [];
  received = 0;
  cancelled = 0;
  mostRows = 0;

  constructor() {
    this.server = createServer({ clock: new FakeClock() });
    this.server.addService(
      loadService('inference/grpc_service.proto', 'inference.GRPCInferenceService'),
      {
        ModelStreamInfer: (call: StreamCall<Buffer, Buffer>) => {
          call.onCancel(() => (this.cancelled += 1));
          call.onMessage((message) => {
            this.received += 1;
            this.held.push({ message: Buffer.from(message), call });
          });
          call.onEnd(() => call.end());
        },
      },
      { passthrough: ['ModelStreamInfer'] },
    );
  }

  answer(): void {
    const { message, call } = this.held.shift() as (typeof this.held)[number];
    const [raw = Buffer.alloc(0)] = scanInferRequest(message).rawInputContents;
    const rows = raw.length / 4;
    this.mostRows = Math.max(this.mostRows, rows);
    const doubled = Float32Array.from({ length: rows }, (_, at) => 2 * raw.readFloatLE(4 * at));
    const contents = bytesOf(doubled);
    const outputs = [{ name: 'y', datatype: 'FP32', shape: [rows, 1], contents }];
    call.write(wrapStreamResponse(assembleInferResponse({ model: 'm', version: '1', id: '', outputs })));
  }
}

/** Asks for `asks` times `rows` rows, numbered on; remembers what it was told. */
class Counting implements AskSource {
  readonly told: number[] = [];
  given = 0;
  readonly #asks: number;
  readonly #rows: number;

  constructor(asks: number, rows: number) {
    this.#asks = asks;
    this.#rows = rows;
  }

  get done(): boolean {
    return this.told.length >= this.#asks * this.#rows;
  }

  next() {
    if (this.given === this.#asks) return undefined;
    const first = this.given * this.#rows;
    this.given += 1;
    return {
      rows: this.#rows,
      write: ([into]: readonly Uint8Array[]) => {
        const values = new Float32Array(into?.buffer as ArrayBuffer);
        values.forEach((_, at) => (values[at] = first + at));
      },
      tell: (predictions: Float64Array): void => void this.told.push(...predictions),
    };
  }
}

const requests = new RowRequests({
  model: 'm',
  version: '1',
  batched: true,
  row: [{ name: 'x', datatype: 'FP32', shape: [1, 1], bytes: new Uint8Array(4) }],
  explained: [{ name: 'x', datatype: 'FP32', elements: 1 }],
  output: { name: 'y', datatype: 'FP32', elements: 1, indices: [0] },
});
let open: string[];
let clock: FakeClock;
let router: HeldRouter;
let client: RpcClient;
let usage: Usage;
let abort: AbortController;

beforeEach(async () => {
  open = openNow();
  clock = new FakeClock(1000);
  router = new HeldRouter();
  client = createClient(`127.0.0.1:${await router.server.listen('127.0.0.1:0')}`, { passthrough: true });
  usage = { rows: 0, requests: 0 };
  abort = new AbortController();
});

afterEach(async () => {
  client.close();
  await router.server.drain(0);
  await assertNothingOpen(open);
  if (clock.pending > 0) throw new Error(`${clock.pending} timers are left`);
});

function run(source: AskSource, limits: Partial<DriveLimits> = {}, deadline?: number) {
  return drive({
    source,
    requests,
    open: (failed) => new PredictionStream({ client, clock, headers: {} }, failed),
    pace: new Pace(clock, deadline),
    limits: { requests: 3, bytes: 1e6, rows: 10, ...limits },
    usage,
    signal: abort.signal,
  });
}

test('all that is asked is told, in its order; no request has more rows than it may', async () => {
  const source = new Counting(5, 25);
  const driven = run(source);
  const ended = driven.then(() => (source.given = -1));
  while (source.given >= 0) {
    await Promise.race([until(() => router.held.length > 0).catch(() => undefined), ended]);
    while (router.held.length > 0) router.answer();
  }
  expect(await driven).toBe('done');
  expect(source.told).toEqual(Array.from({ length: 125 }, (_, at) => 2 * at));
  expect(usage).toEqual({ rows: 125, requests: 15 });
  expect(router.mostRows).toBe(10);
});

test('what is under way is bounded by requests, and by bytes; the next is asked when one is answered', async () => {
  for (const [limits, most] of [
    [{ requests: 3 }, 3],
    [{ requests: 100, bytes: 4 * 10 * 2 }, 2],
    [{ requests: 1 }, 1],
  ] as const) {
    router.received = 0;
    router.held.length = 0;
    const source = new Counting(1_000_000, 10);
    const driven = run(source, limits);
    await until(() => router.received === most);
    for (let answered = 1; answered < 5; answered += 1) {
      router.answer();
      await until(() => router.received === most + answered);
      expect(source.given).toBe(most + answered);
    }
    abort.abort();
    await expect(driven).rejects.toMatchObject({ code: 'CANCELLED' });
    abort = new AbortController();
  }
});

test('who cancels: what is outstanding is given up, and nothing is asked any more', async () => {
  const source = new Counting(1_000_000, 10);
  const driven = run(source);
  await until(() => router.received === 3);
  router.answer();
  await until(() => router.received === 4);
  abort.abort();
  await expect(driven).rejects.toThrow('the explanation was cancelled');
  await until(() => router.cancelled === 1);
  expect([source.given, router.received]).toEqual([4, 4]);
});

test('time is up before the deadline, by what round trips take; what was told stands', async () => {
  const source = new Counting(1_000_000, 10);
  const driven = run(source, {}, 11_000);
  await until(() => router.received === 3);
  clock.advance(1000);
  router.answer();
  await until(() => router.received === 4);
  // The round trip took 1000 ms: half as much again is kept.
  clock.advance(7499);
  expect(source.told).toHaveLength(10);
  let ended = false;
  void driven.then(() => (ended = true));
  await new Promise((resolve) => setImmediate(resolve));
  expect(ended).toBe(false);
  clock.advance(2000);
  expect(await driven).toBe('deadline');
  await until(() => router.cancelled === 1);
  expect(source.told).toHaveLength(10);
});

test('a server that ends the stream ends it with its reason', async () => {
  const driven = run(new Counting(10, 10));
  await until(() => router.held.length > 0);
  router.held[0]?.call.end(new ShoalError('NOT_FOUND', 'no such version'));
  await expect(driven).rejects.toMatchObject({ code: 'NOT_FOUND', message: 'no such version' });
});

test('a method that neither asks nor ends is told of, not waited for', async () => {
  const idle: AskSource = { done: false, next: () => undefined };
  await expect(run(idle)).rejects.toThrow('neither asks nor ends');
});

/** Has something to compute at the beginning and after each tell, and notes in which turn of the event loop it does. */
class Computing extends Counting {
  readonly turns: number[] = [];
  readonly early: string[] = [];
  #pieces = 3;
  #turn = 0;

  work(): boolean {
    if (this.#pieces === 0) return false;
    if (this.turns.length === 0) this.#count();
    this.turns.push(this.#turn);
    this.#pieces -= 1;
    return this.#pieces > 0;
  }

  override next() {
    if (this.#pieces > 0) this.early.push('next');
    const ask = super.next();
    if (!ask) return undefined;
    const tell = (predictions: Float64Array) => {
      if (this.#pieces > 0) this.early.push('tell');
      ask.tell(predictions);
      this.#pieces = 3;
    };
    return { ...ask, tell };
  }

  /** Others that have something to do in each turn. */
  #count(): void {
    setImmediate(() => {
      this.#turn += 1;
      if (this.turns.length < 3 * (1 + 4)) this.#count();
    });
  }
}

test('what a method computes is done in pieces, with a turn for others after each, before it is asked or told more', async () => {
  const source = new Computing(4, 10);
  const driven = run(source);
  const ended = driven.then(() => (source.given = -1));
  while (source.given >= 0) {
    await Promise.race([until(() => router.held.length > 0).catch(() => undefined), ended]);
    while (router.held.length > 0) router.answer();
  }
  expect(await driven).toBe('done');
  expect(source.told).toEqual(Array.from({ length: 40 }, (_, at) => 2 * at));
  expect(source.early).toEqual([]);
  expect(source.turns).toHaveLength(15);
  for (let at = 0; at < 15; at += 3) expect(new Set(source.turns.slice(at, at + 3)).size).toBe(3);
});

test('who cancels a method that computes ends it at once; what it throws ends it, too', async () => {
  let pieces = 0;
  const endless: AskSource = { done: false, next: () => undefined, work: () => (pieces += 1) > 0 };
  const driven = run(endless);
  await until(() => pieces > 3);
  abort.abort();
  await expect(driven).rejects.toMatchObject({ code: 'CANCELLED' });
  const before = pieces;
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  expect(pieces).toBe(before);
  for (const throwing of [1, 3]) {
    abort = new AbortController();
    pieces = 0;
    const failing = () => {
      pieces += 1;
      if (pieces === throwing) throw new ShoalError('RESOURCE_EXHAUSTED', 'too large');
      return true;
    };
    await expect(run({ ...endless, work: failing })).rejects.toThrow('too large');
  }
});
