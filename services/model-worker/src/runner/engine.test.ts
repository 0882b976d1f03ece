import { setImmediate as turn } from 'node:timers/promises';
import { systemClock } from '@shoal/core';
import {
  type Batch,
  type Data,
  FilePart,
  type Link,
  type LinkMessage,
  type RemoteBytes,
  createTransport,
} from '@shoal/link';
import type { ModelSignature } from '@shoal/protocol';
import { bytesOf, tensorArray } from '@shoal/tensor';
import { FakeClock } from '@shoal/testing';
import { Engine } from './engine';
import type { RunResult, ThreadTensor } from './thread-messages';

const tensor = { datatype: 'INT32', dims: [1], modelDims: [1], optional: false, ragged: false } as const;
const signature: ModelSignature = {
  model: 'm',
  version: '1',
  maxBatchSize: 8,
  inputs: [{ ...tensor, name: 'x' }],
  outputs: [{ ...tensor, name: 'y' }],
  fixedShapes: true,
  decoupled: false,
};

/**
 * An engine with a session that ends its runs when the test says so, or at once where they are `inlineMs` long, and a link
 * from each side.
 */
async function rig(options: { runTimeoutMs?: number; inlineMs?: number } = {}) {
  const clock = new FakeClock();
  const transport = createTransport({ clock: systemClock });
  const runs: { feeds: readonly ThreadTensor[]; end: (result: RunResult) => void }[] = [];
  const hung: string[] = [];
  const engine = new Engine({
    id: 'runner',
    queue: 'q',
    signature,
    fed: new Set([0]),
    gatherTimeoutMs: 1000,
    runTimeoutMs: options.runTimeoutMs ?? 0,
    abandonedGraceMs: 2000,
    modelFolder: '/models/m',
    clock,
    buildResponse: (_, parts) => parts[0]?.bytes.slice() ?? new Uint8Array(),
    run(feeds, _fetches, ended) {
      runs.push({ feeds, end: ended });
      if (options.inlineMs === undefined) return undefined;
      clock.advance(options.inlineMs);
      return echo({ feeds });
    },
    onHung: (reason) => hung.push(reason),
  });
  const listener = await transport.listen('inproc:runner', { kind: 'hello', role: 'runner', id: 'runner' }, (link) =>
    engine.accept(link),
  );
  const heard: LinkMessage[] = [];
  const open = async (role: 'batching' | 'router', id: string): Promise<Link> => {
    const link = await transport.connect('inproc:runner', { kind: 'hello', role, id });
    link.onMessage((message) => heard.push(message));
    return link;
  };
  const batching = await open('batching', 'b');
  const router = await open('router', 'r');
  await settle();
  return { clock, engine, runs, hung, heard, batching, router, open, close: () => listener.close() };
}

/** Lets links deliver. */
async function settle(): Promise<void> {
  for (let i = 0; i < 6; i += 1) await turn();
}

const grant = (batchId: number, members = 1): Batch => ({
  kind: 'batch',
  batchId,
  routers: Array.from({ length: members }, () => 'r'),
  rows: Array.from({ length: members }, () => 1),
});

const data = (batchId: number, member = 0): Data => ({
  kind: 'data',
  batchId,
  member,
  offerId: batchId * 10 + member,
  requestId: '',
  inputs: [{ index: 0, shape: [1, 1], bytes: bytesOf(Int32Array.of(batchId * 10 + member)) }],
  outputs: [],
});

/** Numbers of an INT32 tensor. */
function ints(of: ThreadTensor['data'] | undefined): unknown[] {
  return [...tensorArray('INT32', of as Uint8Array)];
}

function echo(run: { feeds: readonly ThreadTensor[] } | undefined): RunResult {
  const feed = run?.feeds[0] as ThreadTensor;
  return { kind: 'ran', outputs: [{ ...feed, name: 'y' }], inferMs: 1, spent: [] };
}

const failure: RunResult = {
  kind: 'failed',
  reason: 'boom at /models/m/1/model.onnx',
  exhausted: false,
  inferMs: 1,
  spent: [],
};

const kinds = (heard: readonly LinkMessage[]) => heard.map(({ kind }) => kind);

test('answers leave before the batch is done; the next batch starts before them', async () => {
  const { batching, router, runs, heard, close } = await rig();
  expect(heard).toEqual([{ kind: 'ready', runner: 'runner', queue: 'q', credits: 32 }]);
  heard.length = 0;
  batching.send(grant(1, 2));
  batching.send(grant(2));
  router.send(data(1, 0));
  router.send(data(1, 1));
  router.send(data(2));
  await settle();
  expect(runs).toHaveLength(1);
  runs[0]?.end(echo(runs[0]));
  await settle();
  expect(runs).toHaveLength(2);
  expect(kinds(heard).toSorted()).toEqual(['answer', 'answer', 'done']);
  expect(heard.find(({ kind }) => kind === 'done')).toMatchObject({ batchId: 1, outcome: 'ok', computeInferNs: 1e6 });
  const answer = heard.find((message) => message.kind === 'answer' && message.offerId === 11);
  expect(answer).toMatchObject({ response: bytesOf(Int32Array.of(11)) });
  await close();
});

/** Bytes that count how often they are let go of. */
function counted(bytes: Uint8Array): RemoteBytes & { released: number } {
  return {
    byteLength: bytes.byteLength,
    released: 0,
    readInto: (target, at) => target.set(bytes, at),
    release() {
      this.released += 1;
    },
  };
}

test('each answer says what it took of the run: its part by rows', async () => {
  const { runs, heard, batching, router, close } = await rig();
  batching.send({ ...grant(1, 2), rows: [1, 3] });
  router.send(data(1, 0));
  const three = { index: 0, shape: [3, 1], bytes: bytesOf(Int32Array.of(1, 2, 3)) };
  router.send({ ...data(1, 1), inputs: [three] });
  await settle();
  runs[0]?.end({ ...echo(runs[0]), inferMs: 6.0002 } as RunResult);
  await settle();
  const took = heard.flatMap((message) => (message.kind === 'answer' ? [message.computeUs] : []));
  expect(took).toEqual([1500, 4500]);
  await close();
});

test('bytes elsewhere are let go of once they are in the batch, and where they will never be', async () => {
  const { batching, router, runs, close } = await rig();
  const all = Array.from({ length: 5 }, () => counted(bytesOf(Int32Array.of(7))));
  const send = (batchId: number, member: number, bytes: RemoteBytes) =>
    router.send({ ...data(batchId, member), inputs: [{ index: 0, shape: [1, 1], bytes }] });
  batching.send(grant(1, 3));
  send(1, 0, all[0]!);
  send(1, 1, all[1]!);
  send(1, 5, all[2]!);
  router.send({ kind: 'withdraw', batchId: 1, member: 1 });
  await settle();
  expect(all.map(({ released }) => released)).toEqual([0, 1, 1, 0, 0]);
  send(1, 2, all[3]!);
  send(2, 0, all[4]!);
  await settle();
  expect(ints(runs[0]?.feeds[0]?.data)).toEqual([7, 7]);
  expect(all.map(({ released }) => released)).toEqual([1, 1, 1, 1, 0]);
  await router.close();
  await settle();
  expect(all.map(({ released }) => released)).toEqual([1, 1, 1, 1, 1]);
  await close();
});

test('a batch is gathered in the memory of one that is over', async () => {
  const { batching, router, runs, close } = await rig();
  const rows = 20_000;
  const feed = (run: number) => runs[run]?.feeds[0]?.data as Uint8Array;
  const send = (batchId: number) => {
    batching.send({ ...grant(batchId), rows: [rows] });
    router.send({
      ...data(batchId),
      inputs: [{ index: 0, shape: [rows, 1], bytes: bytesOf(new Int32Array(rows).fill(batchId)) }],
    });
  };
  send(1);
  await settle();
  const memory = feed(0).buffer as ArrayBuffer;
  runs[0]?.end({ ...failure, spent: [memory] });
  send(2);
  await settle();
  expect(feed(1).buffer).toBe(memory);
  expect([feed(1).length, ints(feed(1))[0]]).toEqual([4 * rows, 2]);
  runs[1]?.end(failure);
  await settle();
  await close();
});

test('a client’s memory that cannot be reached: the request is to be sent another way, the others run', async () => {
  const { batching, router, runs, heard, close } = await rig();
  const bytes = new FilePart({ fd: 1, device: 1, inode: 1, offset: 0, byteLength: 4 }, false);
  batching.send(grant(1, 2));
  router.send({ ...data(1, 0), inputs: [{ index: 0, shape: [1, 1], bytes }] });
  router.send(data(1, 1));
  await settle();
  expect(heard.at(-1)).toEqual({ kind: 'refused', offerId: 10 });
  runs[0]?.end(echo(runs[0]));
  await settle();
  expect(heard.at(-1)).toMatchObject({ kind: 'done', outcome: 'ok', absent: [0] });
  await close();
});

test('a failed run answers nobody; without its batching instance the routers are told to offer again', async () => {
  const { batching, router, runs, heard, close } = await rig();
  batching.send(grant(1));
  batching.send(grant(2));
  router.send(data(1));
  router.send(data(2));
  await settle();
  heard.length = 0;
  runs[0]?.end(failure);
  await settle();
  expect(heard).toMatchObject([{ kind: 'done', outcome: 'failed', code: 'INTERNAL' }]);
  expect(JSON.stringify(heard)).not.toContain('/models');
  await batching.close();
  await settle();
  heard.length = 0;
  runs[1]?.end(failure);
  await settle();
  expect(heard).toEqual([{ kind: 'refused', offerId: 20 }]);
  await close();
});

test('what fails after its batching link has closed is offered again, though batching be back', async () => {
  const { batching, router, runs, heard, open, close } = await rig();
  const wrong = { ...data(1, 1), inputs: [{ index: 0, shape: [1, 1], bytes: new Uint8Array(3) }] };
  batching.send(grant(1, 2));
  batching.send(grant(2));
  router.send(data(1));
  router.send(wrong);
  router.send(data(2));
  await settle();
  await batching.close();
  await open('batching', 'b');
  await settle();
  heard.length = 0;
  runs[0]?.end(echo(runs[0]));
  await settle();
  expect(heard.map((message) => [message.kind, 'offerId' in message && message.offerId])).toEqual([
    ['answer', 10],
    ['refused', 11],
  ]);
  heard.length = 0;
  runs[1]?.end(failure);
  await settle();
  expect(heard).toEqual([{ kind: 'refused', offerId: 20 }]);
  await close();
});

test('a member whose bytes never come is left out; when nobody is left nothing is run', async () => {
  const { batching, router, runs, heard, clock, close } = await rig();
  batching.send(grant(1, 2));
  router.send(data(1, 1));
  batching.send(grant(2));
  await settle();
  heard.length = 0;
  clock.advance(1000);
  await settle();
  expect(runs).toHaveLength(1);
  expect(heard).toEqual([]);
  runs[0]?.end(echo(runs[0]));
  await settle();
  expect(heard.filter(({ kind }) => kind === 'done')).toMatchObject([
    { batchId: 2, outcome: 'ok', absent: [0], computeInferNs: 0 },
    { batchId: 1, outcome: 'ok', absent: [0] },
  ]);
  expect(clock.pending).toBe(0);
  await close();
});

test('runs that take too long, or that nobody waits for, are told', async () => {
  const { batching, router, runs, hung, clock, close } = await rig({ runTimeoutMs: 5000 });
  batching.send(grant(2));
  router.send(data(2));
  await settle();
  const quick = runs.pop();
  quick?.end(echo(quick));
  await settle();
  batching.send(grant(1));
  router.send(data(1));
  await settle();
  router.send({ kind: 'withdraw', batchId: 1, member: 0 });
  await settle();
  clock.advance(1999);
  expect(hung).toEqual([]);
  clock.advance(1);
  expect(hung).toEqual(['a run went on for 2 s after everybody had left']);
  clock.advance(3000);
  expect(hung[1]).toBe('a run took more than 5 s');
  runs[0]?.end(echo(runs[0]));
  await settle();
  expect(clock.pending).toBe(0);
  await close();
});

test('withdrawn while gathered: the run is spared', async () => {
  const { batching, router, runs, heard, close } = await rig();
  batching.send(grant(1));
  router.send(data(1));
  batching.send(grant(2));
  router.send(data(2));
  await settle();
  router.send({ kind: 'withdraw', batchId: 2, member: 0 });
  await settle();
  runs[0]?.end(echo(runs[0]));
  await settle();
  expect(runs).toHaveLength(1);
  expect(heard.filter(({ kind }) => kind === 'done')).toHaveLength(2);
  expect(heard.find((message) => message.kind === 'done' && message.batchId === 2)).toMatchObject({ absent: [0] });
  await close();
});

test('runs on the main thread: answers and end at once, no more than half a millisecond before others have their turn', async () => {
  const { batching, router, runs, heard, engine, clock, close } = await rig({ inlineMs: 0.3, runTimeoutMs: 1000 });
  heard.length = 0;
  for (let batchId = 1; batchId <= 4; batchId += 1) {
    batching.send(grant(batchId));
    router.send(data(batchId));
  }
  await new Promise<void>((resolve) => process.nextTick(resolve));
  await Promise.resolve();
  const inOneTurn = runs.length;
  await settle();
  expect([inOneTurn, runs.length]).toEqual([2, 4]);
  const answers = heard.filter((message) => message.kind === 'answer');
  expect(answers.map(({ offerId }) => offerId)).toEqual([10, 20, 30, 40]);
  expect(heard.filter((message) => message.kind === 'done').map(({ batchId }) => batchId)).toEqual([1, 2, 3, 4]);
  await engine.stop();
  // Nobody watches runs that are over when they return.
  expect(clock.pending).toBe(0);
  await close();
});

test('a stop finishes what was granted and refuses what comes later', async () => {
  const { engine, batching, router, runs, heard, close } = await rig();
  batching.send(grant(1));
  router.send(data(1));
  await settle();
  heard.length = 0;
  let stopped = false;
  const stop = engine.stop().then(() => (stopped = true));
  batching.send(grant(2));
  await settle();
  expect(stopped).toBe(false);
  expect(kinds(heard)).toEqual(['retire', 'done']);
  expect(heard[1]).toMatchObject({ batchId: 2, outcome: 'refused' });
  runs[0]?.end(echo(runs[0]));
  await stop;
  await settle();
  expect(kinds(heard).slice(2).toSorted()).toEqual(['answer', 'done']);
  await close();
});

test('a batching instance that comes later is told at once, but not by a runner that retires', async () => {
  const { engine, heard, open, close } = await rig();
  heard.length = 0;
  await open('batching', 'b2');
  await settle();
  expect(kinds(heard)).toEqual(['ready']);
  engine.retire();
  await settle();
  heard.length = 0;
  await open('batching', 'b3');
  await settle();
  expect(heard).toEqual([]);
  await close();
});
