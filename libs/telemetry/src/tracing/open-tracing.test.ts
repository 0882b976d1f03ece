import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { status } from '@grpc/grpc-js';
import { systemClock, systemRandom } from '@shoal/core';
import { TestAuthority, assertNothingOpen, openNow, until } from '@shoal/testing';
import { type OtlpReceiver, type OtlpReceiverOptions, startOtlpReceiver } from '../../../../test/support/otlp/receiver';
import { eventually } from '../../../../test/support/waiting';
import { type LogFields, type Logger, silentLogger } from '../logger';
import { type ExportedTracing, openTracing } from './open-tracing';
import { spanIdOf, traceIdOf } from './span-context';

const before = openNow();
const ownEnv = { ...process.env };
const nothing = { header: () => undefined };
const files = mkdtempSync(path.join(tmpdir(), 'shoal-otlp-'));
let receivers: OtlpReceiver[] = [];
let lines: string[];
let tracings: ExportedTracing[] = [];

beforeEach(() => {
  for (const name of Object.keys(process.env)) if (name.startsWith('OTEL_')) delete process.env[name];
  lines = [];
});

afterEach(async () => {
  await Promise.all(tracings.map((tracing) => tracing.close(1000)));
  await Promise.all(receivers.map((receiver) => receiver.close()));
  [tracings, receivers] = [[], []];
  await assertNothingOpen(before);
});

afterAll(() => {
  process.env = ownEnv;
  rmSync(files, { recursive: true });
});

async function receive(options: OtlpReceiverOptions): Promise<OtlpReceiver> {
  const receiver = await startOtlpReceiver(options);
  receivers.push(receiver);
  return receiver;
}

/** With these variables, and a delay that tests need not wait for. */
function open(env: Readonly<Record<string, string>>): ExportedTracing {
  Object.assign(process.env, { OTEL_BSP_SCHEDULE_DELAY: '1', ...env });
  const note = (message: string, fields?: LogFields) => void lines.push([message, fields?.['error']].join(' ').trim());
  const logger: Logger = { ...silentLogger, info: note, warn: note };
  const resource = { 'service.instance.id': 'me' };
  const common = { clock: systemClock, random: systemRandom, version: '1.2.3' };
  const tracing = openTracing({ ...common, env: process.env, logger, resource });
  if (!tracing) throw new Error('nothing is exported');
  tracings.push(tracing);
  return tracing;
}

function record(tracing: ExportedTracing, name = 'Infer'): string {
  const span = tracing.door.open(name, 'm', nothing, systemClock.now())!;
  span.end(systemClock.now());
  return spanIdOf(span);
}

test('nothing is opened unless it is wanted', () => {
  const common = { clock: systemClock, random: systemRandom, logger: silentLogger, version: '1', resource: {} };
  expect(openTracing({ ...common, env: {} })).toBeUndefined();
});

describe.each([
  [
    'grpc',
    'grpc',
    '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
    '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
  ],
  ['http', 'http/protobuf', '/v1/traces', '/own/path'],
] as const)('over %s', (protocol, name, called, ownPath) => {
  const speaks = { OTEL_EXPORTER_OTLP_PROTOCOL: name };

  test('spans of several services arrive as they were, at the time that it was', async () => {
    const receiver = await receive({ protocol });
    const tracing = open({
      ...speaks,
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
    });
    const started = BigInt(systemClock.epochMs()) * 1_000_000n;
    const door = tracing.door.open('Infer', 'm', nothing, systemClock.now())!;
    const child = tracing.tracer('runner').start('compute', 'internal', door, systemClock.now());
    child.event('COMPUTE_START', systemClock.now());
    child.end(systemClock.now());
    door.end(systemClock.now());
    await until(() => receiver.spans.length === 2);
    const [a, b] = ['Infer', 'compute'].map((one) => receiver.spans.find((span) => span.name === one)!);
    expect(a).toMatchObject({ service: 'shoal-router', scope: 'shoal/router', kind: 'SERVER', parentSpanId: '' });
    expect(b).toMatchObject({ service: 'shoal-runner', parentSpanId: spanIdOf(door), traceId: traceIdOf(door) });
    expect(a!.resource).toEqual({
      'service.name': 'shoal-router',
      'service.version': '1.2.3',
      'service.instance.id': 'me',
      'deployment.environment.name': 'test',
      'telemetry.sdk.name': 'shoal',
      'telemetry.sdk.language': 'nodejs',
      'telemetry.sdk.version': '1.2.3',
    });
    const slew = 50_000_000n;
    expect(a!.start).toBeGreaterThan(started - slew);
    expect(a!.start <= b!.start && b!.start <= b!.events[0]!.at && b!.end <= a!.end).toBe(true);
    expect(a!.end).toBeLessThan(BigInt(systemClock.epochMs()) * 1_000_000n + slew);
    expect(receiver.exports[0]!.path).toBe(called);
    await until(() => tracing.counts().exported === 2);
    expect(tracing.counts()).toEqual({ exported: 2, dropped: 0, lost: 0, failedExports: 0 });
  });

  test('the variables of traces go before the general ones; headers, compression, a service’s name', async () => {
    const receiver = await receive({ protocol });
    const tracing = open({
      OTEL_EXPORTER_OTLP_PROTOCOL: protocol === 'grpc' ? 'http/protobuf' : 'grpc',
      OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: name,
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:1',
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${receiver.endpoint}${protocol === 'grpc' ? '' : '/own/path'}`,
      OTEL_EXPORTER_OTLP_HEADERS: 'api-key=general,other=a%20b',
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'api-key=mine',
      OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
      OTEL_SERVICE_NAME: 'all of it',
    });
    record(tracing);
    await until(() => receiver.exports.length > 0);
    const [got] = receiver.exports;
    expect(got!.headers).toMatchObject({
      'api-key': 'mine',
      other: 'a b',
      'user-agent': expect.stringContaining('OTLP') as string,
    });
    // grpc-js keeps these to itself.
    expect(got!.headers['content-encoding']).toBe(protocol === 'grpc' ? undefined : 'gzip');
    expect(got!.path).toBe(ownPath);
    expect(got!.headers['content-type']).toBe(protocol === 'grpc' ? undefined : 'application/x-protobuf');
    expect(receiver.spans.map(({ service }) => service)).toEqual(protocol === 'grpc' ? ['all of it'] : []);
  });

  test('TLS, with a certificate of its own', async () => {
    const authority = new TestAuthority();
    const server = authority.issue(['localhost']);
    const client = authority.issue(['client']);
    const receiver = await receive({
      protocol,
      tls: { ...server, ca: authority.ca },
    });
    const file = (base: string, pem: Buffer) => {
      writeFileSync(path.join(files, base), pem);
      return path.join(files, base);
    };
    const tracing = open({
      ...speaks,
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
      OTEL_EXPORTER_OTLP_CERTIFICATE: file('ca.pem', authority.ca),
      OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: file('client.pem', client.cert),
      OTEL_EXPORTER_OTLP_CLIENT_KEY: file('client.key', client.key),
    });
    const id = record(tracing);
    await until(() => receiver.spans.length === 1);
    expect(receiver.spans[0]!.spanId).toBe(id);
  });

  test('a receiver that is not there, then is: told once each, and serving goes on', async () => {
    const first = await receive({ protocol });
    await first.close();
    const tracing = open({
      ...speaks,
      OTEL_EXPORTER_OTLP_ENDPOINT: first.endpoint,
      OTEL_EXPORTER_OTLP_TIMEOUT: '500',
      OTEL_BSP_MAX_QUEUE_SIZE: '10',
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '5',
    });
    for (let n = 0; n < 100; n++) record(tracing);
    await until(() => lines.length === 1);
    expect(tracing.counts().dropped).toBeGreaterThanOrEqual(80);
    const again = await receive({ protocol, port: first.port });
    // Longer than the pauses between tries of a connection.
    await eventually(
      'spans arrive',
      () => {
        record(tracing);
        return again.spans.length > 0;
      },
      25_000,
    );
    await until(() => lines.length === 2);
    expect(lines).toEqual([expect.stringContaining('spans cannot be exported'), 'spans are exported again']);
  });

  test('a receiver that answers with an error: what it did not take is lost, and counted', async () => {
    const receiver = await receive({ protocol });
    receiver.answer = { kind: 'error', code: protocol === 'grpc' ? status.INVALID_ARGUMENT : 400 };
    const tracing = open({ ...speaks, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint });
    for (let n = 1; n <= 3; n++) {
      record(tracing);
      await until(() => tracing.counts().lost === n);
    }
    expect(lines).toHaveLength(1);
    receiver.answer = { kind: 'ok' };
    record(tracing);
    await until(() => tracing.counts().exported === 1);
    expect(tracing.counts()).toEqual({ exported: 1, dropped: 0, lost: 3, failedExports: 3 });
  });

  test('a receiver that hangs holds up nothing but spans; closing is bounded', async () => {
    const receiver = await receive({ protocol });
    receiver.answer = { kind: 'hang' };
    const tracing = open({
      ...speaks,
      OTEL_EXPORTER_OTLP_TIMEOUT: '900',
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
      OTEL_BSP_MAX_QUEUE_SIZE: '4',
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '2',
    });
    for (let n = 0; n < 20; n++) record(tracing);
    await until(() => receiver.exports.length === 1);
    expect(tracing.counts()).toEqual({ exported: 0, dropped: 14, lost: 0, failedExports: 0 });
    await tracing.close(50);
    expect(tracing.counts()).toMatchObject({ exported: 0, lost: 4 });
  });

  test('what waits at the end is sent', async () => {
    const receiver = await receive({ protocol });
    const tracing = open({
      ...speaks,
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
      OTEL_BSP_SCHEDULE_DELAY: '600000',
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '4',
    });
    const ids = Array.from({ length: 10 }, () => record(tracing));
    await tracing.close(10_000);
    expect(receiver.spans.map(({ spanId }) => spanId)).toEqual(ids);
    expect(receiver.exports.map(({ spans }) => spans)).toEqual([4, 4, 2]);
  });
});

test('a batch that is linked to more members than OpenTelemetry’s usual limit', async () => {
  const receiver = await receive({ protocol: 'grpc' });
  const tracing = open({
    OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
  });
  const tracer = tracing.tracer('batching');
  const batch = tracer.startRoot('batch', 'internal', systemClock.now());
  const members = Array.from({ length: 1000 }, () => tracer.startRoot('m', 'internal', systemClock.now()));
  for (const member of members) batch.link(member);
  batch.end(systemClock.now());
  await until(() => receiver.spans.length === 1);
  expect(receiver.spans[0]!.links.map(({ spanId }) => spanId)).toEqual(members.map(spanIdOf));
});
