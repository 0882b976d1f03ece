import { setImmediate as turn } from 'node:timers/promises';
import { systemClock } from '@shoal/core';
import { type Batch, type Data, type Link, type LinkMessage, createTransport } from '@shoal/link';
import type { ModelSignature } from '@shoal/protocol';
import { MemoryTracing, type Span, contextFromWire, spanIdOf, traceIdOf } from '@shoal/telemetry';
import { bytesOf } from '@shoal/tensor';
import { FakeClock } from '@shoal/testing';
import { Engine } from '../engine';
import type { RunResult, ThreadTensor } from '../thread-messages';
import { RunSpans } from './run-spans';

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
/** What the wall clock is ahead of the clock. */
const wall = 1e12;

let clock: FakeClock;
let tracing: MemoryTracing;
let batching: Link;
let router: Link;
let heard: LinkMessage[];
let runs: { feeds: readonly ThreadTensor[]; end: (result: RunResult) => void }[];
let inlineMs: number | undefined;
let close: () => Promise<void>;

beforeEach(async () => {
  clock = new FakeClock(100);
  tracing = new MemoryTracing();
  [heard, runs, inlineMs] = [[], [], undefined];
  const engine = new Engine({
    id: 'w-r1',
    queue: 'q',
    signature,
    fed: new Set([0]),
    gatherTimeoutMs: 1000,
    runTimeoutMs: 0,
    abandonedGraceMs: 2000,
    modelFolder: '/models/m',
    clock,
    buildResponse(requestId, parts) {
      clock.advance(1);
      if (requestId === 'bad') throw new RangeError('too large');
      return parts[0]?.bytes.slice() ?? new Uint8Array();
    },
    run(feeds, _fetches, ended) {
      runs.push({ feeds, end: ended });
      if (inlineMs === undefined) return undefined;
      clock.advance(inlineMs);
      return ran(feeds);
    },
    onHung: () => undefined,
    spans: new RunSpans({
      clock,
      tracer: tracing.tracer('runner'),
      clockTime: (wallMs) => wallMs - wall,
      runner: 'w-r1',
      device: 'CPU',
    }),
  });
  const transport = createTransport({ clock: systemClock });
  const listener = await transport.listen('inproc:runner', { kind: 'hello', role: 'runner', id: 'w-r1' }, (link) =>
    engine.accept(link),
  );
  const open = async (role: 'batching' | 'router', id: string) => {
    const link = await transport.connect('inproc:runner', { kind: 'hello', role, id });
    link.onMessage((message) => heard.push(message));
    return link;
  };
  batching = await open('batching', 'b');
  router = await open('router', 'r');
  close = () => listener.close();
  await settle();
});

afterEach(() => close());

/** Lets links deliver. */
async function settle(): Promise<void> {
  for (let i = 0; i < 6; i += 1) await turn();
}

async function pass(ms: number): Promise<void> {
  await settle();
  clock.advance(ms);
}

function ran(feeds: readonly ThreadTensor[]): RunResult {
  return { kind: 'ran', outputs: [{ ...(feeds[0] as ThreadTensor), name: 'y' }], inferMs: 1, spent: [] };
}

function root(name: string): Span {
  return tracing.tracer('other').startRoot(name, 'internal', 0);
}

function grant(batchId: number, members: number, more: Partial<Batch> = {}): Batch {
  const each = <T>(value: T): T[] => Array.from({ length: members }, () => value);
  return { kind: 'batch', batchId, routers: each('r'), rows: each(1), ...more };
}

function data(batchId: number, member: number, model?: Span, requestId = ''): Data {
  const inputs = [{ index: 0, shape: [1, 1], bytes: bytesOf(Int32Array.of(member)) }];
  const message: Data = { kind: 'data', batchId, member, offerId: member, requestId, inputs, outputs: [] };
  return model ? { ...message, trace: model.wire } : message;
}

test('a batch has a run under its own span, and members a transfer and a compute under theirs', async () => {
  const [batch, first, second] = [root('batch'), root('m'), root('m')];
  clock.advance(10);
  batching.send(grant(7, 3, { trace: batch.wire, grantedMs: wall + 108 }));
  await pass(2);
  router.send(data(7, 0, first));
  router.send(data(7, 1));
  await pass(3);
  router.send(data(7, 2, second));
  await pass(5);
  runs[0]?.end(ran(runs[0].feeds));
  await settle();
  expect(heard.filter(({ kind }) => kind === 'answer')).toHaveLength(3);
  const transfers = tracing.named('transfer');
  expect(transfers.map(({ traceId, parentSpanId, startAt, endAt }) => [traceId, parentSpanId, startAt, endAt])).toEqual(
    [
      [traceIdOf(first), spanIdOf(first), 108, 112],
      [traceIdOf(second), spanIdOf(second), 108, 115],
    ],
  );
  expect(transfers[0]?.attributes).toEqual({ 'shoal.transfer.bytes': 4, 'shoal.transfer.by': 'link' });
  const computes = tracing.named('compute');
  expect(computes.map(({ parentSpanId }) => parentSpanId)).toEqual([spanIdOf(first), spanIdOf(second)]);
  expect(computes[1]).toMatchObject({
    service: 'runner',
    startAt: 115,
    endAt: 123,
    failure: undefined,
    links: [{ traceId: traceIdOf(batch), spanId: spanIdOf(batch) }],
    events: [
      { name: 'COMPUTE_START', at: 115 },
      { name: 'COMPUTE_INPUT_END', at: 115 },
      { name: 'COMPUTE_OUTPUT_START', at: 120 },
      { name: 'COMPUTE_END', at: 123 },
    ],
    attributes: { 'shoal.batch.id': 7, 'shoal.runner': 'w-r1', 'shoal.device': 'CPU' },
  });
  expect(tracing.named('run')).toMatchObject([
    {
      traceId: traceIdOf(batch),
      parentSpanId: spanIdOf(batch),
      startAt: 110,
      endAt: 123,
      failure: undefined,
      attributes: { 'shoal.run.members': 3, 'shoal.run.thread': 'session' },
    },
  ]);
});

test('of what is not recorded there are no spans', async () => {
  inlineMs = 1;
  batching.send(grant(1, 1));
  router.send(data(1, 0));
  await settle();
  expect(heard.filter(({ kind }) => kind === 'answer')).toHaveLength(1);
  expect(tracing.spans).toEqual([]);
});

test('a member is recorded where its batch is not, and bytes that come before their grant were not on their way for less than nothing', async () => {
  inlineMs = 4;
  const model = root('m');
  router.send(data(1, 0, model));
  await pass(5);
  batching.send(grant(1, 1));
  await settle();
  expect(tracing.named('run')).toEqual([]);
  expect(tracing.named('transfer')).toMatchObject([{ startAt: 100, endAt: 100 }]);
  expect(tracing.named('compute')).toMatchObject([{ startAt: 105, endAt: 110, links: [] }]);
});

test('a clock that is ahead cannot grant in the future', async () => {
  inlineMs = 1;
  batching.send(grant(1, 1, { trace: root('batch').wire, grantedMs: wall + 5000 }));
  await pass(2);
  router.send(data(1, 0, root('m')));
  await settle();
  expect(tracing.named('transfer')).toMatchObject([{ startAt: 100, endAt: 102 }]);
  expect(tracing.named('run')[0]?.attributes).toMatchObject({ 'shoal.run.thread': 'main' });
});

test('a run that fails fails all of them; a member’s own fault fails its compute alone', async () => {
  batching.send(grant(1, 1, { trace: root('batch').wire }));
  router.send(data(1, 0, root('m')));
  await settle();
  runs[0]?.end({ kind: 'failed', reason: 'boom', exhausted: false, inferMs: 1, spent: [] });
  await settle();
  for (const name of ['run', 'compute']) {
    expect(tracing.named(name)).toMatchObject([{ failure: expect.stringContaining('boom') as string }]);
  }
  tracing.spans.length = 0;
  batching.send(grant(2, 2, { trace: root('batch').wire }));
  router.send(data(2, 0, root('m')));
  router.send(data(2, 1, root('m'), 'bad'));
  await settle();
  runs[1]?.end(ran(runs[1].feeds));
  await settle();
  expect(tracing.named('run')).toMatchObject([{ failure: undefined }]);
  const code = ({ attributes }: { attributes: object }) => (attributes as Record<string, unknown>)['error.type'];
  expect(tracing.named('compute').map(code)).toEqual([undefined, 'RESOURCE_EXHAUSTED']);
});

test('a member that leaves before the run has no compute', async () => {
  batching.send(grant(1, 1));
  router.send(data(1, 0));
  const model = root('m');
  batching.send(grant(2, 1, { trace: root('batch').wire }));
  router.send(data(2, 0, model));
  await settle();
  router.send({ kind: 'withdraw', batchId: 2, member: 0 });
  await settle();
  runs[0]?.end(ran(runs[0].feeds));
  await settle();
  expect(runs).toHaveLength(1);
  expect(tracing.named('compute')).toEqual([]);
  expect(tracing.named('run')).toHaveLength(1);
  expect(contextFromWire(model.wire)).toBeDefined();
});
