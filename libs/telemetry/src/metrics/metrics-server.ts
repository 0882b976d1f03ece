import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ShoalError } from '@shoal/core';
import { acceptsOpenMetrics } from './accepts-open-metrics';
import type { MetricRegistry } from './registry';
import { openMetricsType, prometheusType, renderOpenMetrics, renderPrometheus } from './text-format';

/** An HTTP port with metrics on it and nothing else. */
export interface MetricsServer {
  /** The one that was bound. */
  readonly port: number;
  close(): Promise<void>;
}

/** Scrapers come every few seconds, one connection each. */
const maxConnections = 32;
const requestTimeoutMs = 5_000;
/** Longer than the pauses between scrapes of the usual configurations would need open connections for nothing. */
const idleMs = 20_000;
const maxHeaderBytes = 8 * 1024;

/**
 * Serves /metrics over plain HTTP.
 * @param host An address, IPv6 with or without brackets.
 * @throws ShoalError UNAVAILABLE when it cannot be bound.
 */
export async function serveMetrics(registry: MetricRegistry, host: string, port: number): Promise<MetricsServer> {
  const texts = {
    plain: oncePerTurn(() => renderPrometheus(registry)),
    open: oncePerTurn(() => renderOpenMetrics(registry)),
  };
  const server = createServer(
    { maxHeaderSize: maxHeaderBytes, connectionsCheckingInterval: 1_000 },
    (request, response) => answer(texts, request, response),
  );
  server.maxConnections = maxConnections;
  server.headersTimeout = requestTimeoutMs;
  server.requestTimeout = requestTimeoutMs;
  server.keepAliveTimeout = idleMs;
  // Of a client that does not take what it asked for.
  server.timeout = idleMs;
  await listen(server, host.replace(/^\[(.*)\]$/, '$1'), port);
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** All metrics, in each format. */
interface Texts {
  readonly plain: () => Buffer;
  readonly open: () => Buffer;
}

/**
 * What was made is given again until the event loop goes on: requests that come at once, thousands in one packet perhaps, are no more work
 * than one, and whoever waits for an answer before it asks again has a new one.
 */
function oncePerTurn(make: () => string): () => Buffer {
  let made: Buffer | undefined;
  return () => {
    if (made === undefined) {
      made = Buffer.from(make());
      setImmediate(() => (made = undefined));
    }
    return made;
  };
}

function answer(texts: Texts, { method, url, headers }: IncomingMessage, response: ServerResponse): void {
  // Whatever comes with the request is not read.
  if (headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined)
    response.shouldKeepAlive = false;
  if (url?.replace(/\?.*$/s, '') !== '/metrics') return refuse(response, 404, 'metrics are at /metrics');
  if (method !== 'GET' && method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    return refuse(response, 405, 'metrics are read with GET');
  }
  const open = acceptsOpenMetrics(headers.accept);
  const text = open ? texts.open() : texts.plain();
  response.writeHead(200, {
    'content-type': open ? openMetricsType : prometheusType,
    'content-length': text.length,
    vary: 'accept',
  });
  response.end(text);
}

function refuse(response: ServerResponse, status: number, sentence: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(`${sentence}\n`);
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const reason = cause.code === 'EADDRINUSE' ? 'the address is in use' : (cause.code ?? 'it cannot be bound');
      const where = host.includes(':') ? `[${host}]` : host;
      reject(new ShoalError('UNAVAILABLE', `cannot serve metrics at ${where}:${port}: ${reason}`, { cause }));
    });
    server.listen({ host, port }, () => {
      server.removeAllListeners('error');
      server.on('error', () => undefined);
      resolve();
    });
  });
}
