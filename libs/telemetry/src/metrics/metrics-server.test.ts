import { request } from 'node:http';
import { connect } from 'node:net';
import { assertNothingOpen, openNow, FakeClock } from '@shoal/testing';
import { type MetricsServer, serveMetrics } from './metrics-server';
import { MetricRegistry } from './registry';

let before: ReturnType<typeof openNow>;
let server: MetricsServer;
let reads: number;

beforeEach(async () => {
  before = openNow();
  const registry = new MetricRegistry(new FakeClock());
  registry.counter({ name: 'fish_total', help: 'Fish.' }).with().add(1);
  reads = 0;
  const read = { name: 'fish_reads', help: 'Times that somebody looked.' };
  registry.observe('gauge', read, (sample) => sample((reads += 1)));
  server = await serveMetrics(registry, '127.0.0.1', 0);
});

afterEach(async () => {
  await server.close();
  await assertNothingOpen(before);
});

interface Answer {
  readonly status: number | undefined;
  readonly type: string | undefined;
  readonly length: string | undefined;
  readonly body: string;
}

function ask(method: string, path: string, accept?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = accept === undefined ? {} : { accept };
    const call = request({ port: server.port, method, path, headers, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.on('end', () =>
        resolve({
          status: response.statusCode,
          type: response.headers['content-type'],
          length: response.headers['content-length'],
          body,
        }),
      );
    });
    call.on('error', reject);
    call.end();
  });
}

const text = 'text/plain; version=0.0.4; charset=utf-8';
const open = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

test('GET and HEAD of /metrics, whatever the query', async () => {
  const got = await ask('GET', '/metrics?name[]=fish_total');
  expect(got).toEqual({
    status: 200,
    type: text,
    length: String(got.body.length),
    body: expect.stringContaining('# HELP fish_total Fish.\n# TYPE fish_total counter\nfish_total 1\n'),
  });
  expect(await ask('HEAD', '/metrics')).toEqual({ ...got, body: '' });
});

test.each([
  [undefined, text],
  ['*/*', text],
  ['text/plain', text],
  ['application/openmetrics-text; version=1.0.0', open],
  // Prometheus 2.42 and 3.
  [
    'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
    open,
  ],
  ['text/plain;version=0.0.4;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5', text],
  ['application/openmetrics-text;q=0, text/plain;q=0.5', text],
])('who accepts %s gets %s', async (accept, type) => {
  expect((await ask('GET', '/metrics', accept)).type).toBe(type);
});

test.each([
  ['GET', '/', 404],
  ['GET', '/metrics/', 404],
  ['GET', '/metricsx', 404],
  ['POST', '/metrics', 405],
  ['DELETE', '/metrics', 405],
  ['POST', '/', 404],
])('%s %s: %d', async (method, path, status) => {
  expect((await ask(method, path)).status).toBe(status);
});

test('what comes with a request is not read: the connection ends', async () => {
  const answer = await raw(`GET /metrics HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\n`);
  expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  expect(answer.toLowerCase()).toContain('connection: close');
});

test('requests that come at once are answered each, and looked at once; the next one sees what is new', async () => {
  const one = 'GET /metrics HTTP/1.1\r\nhost: a\r\n';
  const got = await raw(`${`${one}\r\n`.repeat(199)}${one}connection: close\r\n\r\n`);
  expect(got.match(/^fish_total 1$/gm)).toHaveLength(200);
  // They may have come in a few pieces.
  expect(reads).toBeLessThan(20);
  expect((await ask('GET', '/metrics')).body).toContain(`fish_reads ${reads}\n`);
});

test('headers are bounded', async () => {
  expect(await raw(`GET /metrics HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(9000)}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 431 /);
});

test('connections are bounded: those beyond are ended', async () => {
  const sockets = Array.from({ length: 40 }, () => connect(server.port, '127.0.0.1'));
  let closed = 0;
  const enough = new Promise<void>((resolve) => {
    for (const socket of sockets) {
      socket.on('error', () => undefined);
      socket.on('close', () => (closed += 1) === 8 && resolve());
    }
  });
  await enough;
  expect(sockets.filter((socket) => !socket.destroyed)).toHaveLength(32);
  for (const socket of sockets) socket.destroy();
});

test('a port that is taken is told', async () => {
  await expect(serveMetrics(new MetricRegistry(new FakeClock()), '127.0.0.1', server.port)).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    message: `cannot serve metrics at 127.0.0.1:${server.port}: the address is in use`,
  });
});

function raw(bytes: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(server.port, '127.0.0.1', () => socket.write(bytes));
    let got = '';
    socket.setEncoding('utf8').on('data', (some: string) => (got += some));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(got));
  });
}
