import { type Bus, createLocalBus } from '@shoal/bus';
import { ShoalError } from '@shoal/core';
import type { Link, LinkMessage, Offer } from '@shoal/link';
import { MetricRegistry, renderOpenMetrics, renderPrometheus } from '@shoal/telemetry';
import { FakeClock } from '@shoal/testing';
import { Catalog } from '../catalog/catalog';
import { VersionEntry } from '../catalog/version-entry';
import { Admission } from '../requests/admission';
import { RequestTable } from '../requests/request-table';
import { simplePlan } from '../testing/simple-plan';
import { RouterMetrics } from './router-metrics';

let clock: FakeClock;
let registry: MetricRegistry;
let bus: Bus;
let catalog: Catalog;
let metrics: RouterMetrics;
let table: RequestTable;
let sent: LinkMessage[];
let batchingUp: boolean;

beforeEach(() => {
  clock = new FakeClock(1_000);
  registry = new MetricRegistry(clock);
  bus = createLocalBus({ clock });
  catalog = new Catalog(bus, clock);
  metrics = new RouterMetrics(registry, catalog, clock);
  sent = [];
  batchingUp = true;
  const link = { sharesMemory: false, send: (message: LinkMessage) => void sent.push(message) } as unknown as Link;
  const roads = {
    owner: () => 'b1',
    batching: () => (batchingUp ? link : undefined),
    runner: (id: string) => (id === 'r1' ? link : undefined),
  };
  table = new RequestTable(clock, roads, metrics);
});

afterEach(async () => {
  catalog.close();
  await bus.close();
});

/** Samples of a metric that are not 0, without its name. */
function samples(name: string): string[] {
  const lines = renderPrometheus(registry).split('\n');
  return lines
    .filter((line) => line.startsWith(`${name}{`) && !line.endsWith(' 0'))
    .map((line) => line.slice(name.length));
}

const nobody = {
  answered: () => undefined,
  failed: () => undefined,
  allocate: (length: number) => Buffer.alloc(length),
  replan: () => simplePlan(),
};
const submit = (deadline = Infinity) => table.submit(simplePlan(), nobody, deadline);
const offerId = () => sent.filter((message): message is Offer => message.kind === 'offer').at(-1)?.offerId ?? 0;
const give = (runner = 'r1') =>
  table.batchingMessage({ kind: 'send', offerId: offerId(), batchId: 1, member: 0, runner });
const reject = (code: ShoalError['code'], message: string, origin: 'model' | 'queue') =>
  table.batchingMessage({ kind: 'reject', offerId: offerId(), code, message, origin });
const failures = () =>
  samples('nv_inference_request_failure').map((sample) => sample.replace('model="simple",version="1",', ''));
const sheds = () => samples('shoal_requests_shed_total');
const retries = () => samples('shoal_request_retries_total');

test('what batching refuses and has counted is not counted again; a deadline that passes there is', () => {
  submit();
  reject('UNAVAILABLE', 'Request timeout expired', 'queue');
  submit();
  reject('UNAVAILABLE', 'Exceeds maximum queue size', 'queue');
  submit();
  reject('INTERNAL', 'the model', 'model');
  expect([failures(), sheds()]).toEqual([[], []]);
  submit();
  reject('DEADLINE_EXCEEDED', 'late', 'queue');
  expect([failures(), sheds()]).toEqual([['{reason="CANCELED"} 1'], ['{reason="deadline",model="simple"} 1']]);
});

test('a deadline that passes here, whether or not it runs, and a client that goes before', () => {
  submit(1_100);
  clock.advance(100);
  submit(1_200);
  give();
  clock.advance(100);
  table.cancel(submit(9_000));
  // Its own clock is a moment ahead of ours.
  const late = submit(1_205);
  table.cancel(late);
  expect(failures()).toEqual(['{reason="CANCELED"} 4']);
  expect(sheds()).toEqual(['{reason="deadline",model="simple"} 2']);
  clock.advance(10_000);
});

test('nobody to batch it', () => {
  batchingUp = false;
  submit();
  clock.advance(10_000);
  expect(failures()).toEqual(['{reason="OTHER"} 1']);
  expect(sheds()).toEqual(['{reason="unroutable",model="simple"} 1']);
});

test('the end of the router', () => {
  submit();
  table.close(new ShoalError('UNAVAILABLE', 'over'));
  expect([failures(), sheds()]).toEqual([['{reason="OTHER"} 1'], ['{reason="draining",model="simple"} 1']]);
});

test('each cause for which a request is offered again', () => {
  submit();
  table.batchingClosed('b1');
  give();
  table.runnerClosed('r1');
  give();
  table.runnerMessage('r1', { kind: 'refused', offerId: offerId() });
  give('unreachable');
  clock.advance(1_000);
  clock.advance(1_000);
  reject('UNAVAILABLE', "Request for unknown model: 'simple' version 1 is not at ready state", 'queue');
  expect(retries().toSorted()).toEqual(
    ['batching_lost', 'queue_gone', 'refused', 'runner_lost', 'runner_unreachable'].map(
      (cause) => `{cause="${cause}"} 1`,
    ),
  );
  table.close(new ShoalError('UNAVAILABLE', 'over'));
});

test('what finds no room, by what there was none of', () => {
  const admission = new Admission({ requests: 4, bytes: 100 }, (reason, model) => metrics.shed(reason, model));
  metrics.followAdmission(admission);
  admission.admit(60, false, 'm');
  expect(() => admission.admit(200, false, 'm')).toThrow('more than the 100');
  expect(() => admission.admit(50, false, 'm')).toThrow('100 bytes');
  admission.admit(10, true, 'm');
  expect(() => admission.admit(1, true, 'm')).toThrow('1 unanswered background');
  admission.release(10, true);
  expect(() => admission.admit(30, true, 'm')).toThrow('25 bytes');
  for (let i = 0; i < 3; i += 1) admission.admit(1, false, 'm');
  expect(() => admission.admit(1, false, 'm')).toThrow('limit of 4');
  expect(sheds()).toEqual(['{reason="admission_bytes",model="m"} 3', '{reason="admission_requests",model="m"} 2']);
  expect(renderPrometheus(registry)).toContain('\nshoal_requests_in_flight 4\n');
  expect(renderPrometheus(registry)).toContain('\nshoal_request_bytes_in_flight 63\n');
});

test('the time of answered requests, with their trace where there is one', () => {
  const entry = simplePlan().version;
  metrics.answered(entry, 998, undefined);
  metrics.answered(entry, 990, { wire: Buffer.alloc(25, 1) });
  expect(samples('shoal_request_duration_seconds_count')).toEqual(['{model="simple",version="1"} 2']);
  expect(samples('shoal_request_duration_seconds_sum')).toEqual(['{model="simple",version="1"} 0.012']);
  const exemplified = renderOpenMetrics(registry)
    .split('\n')
    .filter((line) => line.includes('# {trace_id="0101'));
  expect(exemplified).toEqual([expect.stringMatching(/le="0.01"} 2 # .* 0\.01 1\.000$/)]);
});

test('versions that nobody knows any more are shown no more, once there are many', () => {
  for (let i = 0; i < 300; i += 1) {
    const announcement = { model: `m${i}`, version: 1, generation: 'g', state: 'READY', reason: '' } as const;
    metrics.answered(new VersionEntry(announcement), 999, undefined);
  }
  expect(samples('shoal_request_duration_seconds_count').length).toBeLessThan(257);
});
