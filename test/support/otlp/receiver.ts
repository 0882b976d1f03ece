import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import * as grpc from '@grpc/grpc-js';
import { type ReceivedPoint, type ReceivedSpan, decodePoints, decodeSpans } from './decode';

/** How a receiver answers: taken; with an error (a gRPC code or an HTTP status); not at all until `release`. */
export type Answer =
  | { readonly kind: 'ok' }
  | { readonly kind: 'error'; readonly code: number }
  | { readonly kind: 'hang' };

/** One call, as it came. */
export interface ReceivedExport {
  readonly path: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** Without compression. */
  readonly bytes: number;
  readonly spans: number;
}

export interface OtlpReceiverOptions {
  readonly protocol: 'grpc' | 'http';
  /** 0 = any. */
  readonly port?: number;
  /** PEM; absent: without TLS. With `ca` clients must have a certificate from it. */
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer; readonly ca?: Buffer };
}

/** An OTLP receiver of this process: what it got, decoded. */
export interface OtlpReceiver {
  readonly port: number;
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly endpoint: string;
  /** How it answers from now on; at first it takes everything. */
  answer: Answer;
  readonly exports: ReceivedExport[];
  readonly spans: ReceivedSpan[];
  readonly points: ReceivedPoint[];
  close(): Promise<void>;
}

const tracePath = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
const metricsPath = '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export';

/** Starts one at a port of this machine. */
export async function startOtlpReceiver(options: OtlpReceiverOptions): Promise<OtlpReceiver> {
  const store = new Store();
  const server = options.protocol === 'grpc' ? await listenGrpc(store, options) : await listenHttp(store, options);
  return Object.assign(store, {
    port: server.port,
    endpoint: `http${options.tls ? 's' : ''}://localhost:${server.port}`,
    async close() {
      store.release();
      await server.close();
    },
  });
}

type Taken = 'ok' | number;

class Store {
  answer: Answer = { kind: 'ok' };
  readonly exports: ReceivedExport[] = [];
  readonly spans: ReceivedSpan[] = [];
  readonly points: ReceivedPoint[] = [];
  #hanging: (() => void)[] = [];

  release(): void {
    this.answer = { kind: 'ok' };
    for (const go of this.#hanging) go();
    this.#hanging = [];
  }

  async take(path: string, headers: Readonly<Record<string, string>>, request: Buffer): Promise<Taken> {
    const spans = path === tracePath || path === '/v1/traces' ? decodeSpans(request) : [];
    const points = path === metricsPath || path === '/v1/metrics' ? decodePoints(request) : [];
    this.exports.push({ path, headers, bytes: request.length, spans: spans.length });
    const { answer } = this;
    if (answer.kind === 'error') return answer.code;
    if (answer.kind === 'hang') {
      await new Promise<void>((go) => this.#hanging.push(go));
      return 'ok';
    }
    this.spans.push(...spans);
    this.points.push(...points);
    return 'ok';
  }
}

interface Listening {
  readonly port: number;
  close(): Promise<void>;
}

async function listenGrpc(store: Store, { port = 0, tls }: OtlpReceiverOptions): Promise<Listening> {
  const server = new grpc.Server();
  const handle = (path: string): grpc.handleUnaryCall<Buffer, Buffer> => {
    return (call, callback) => {
      const headers = Object.fromEntries(
        Object.entries(call.metadata.getMap()).map(([name, value]) => [name, String(value)]),
      );
      async function respond(): Promise<void> {
        const taken = await store.take(path, headers, call.request);
        callback(taken === 'ok' ? null : { code: taken }, Buffer.alloc(0));
      }
      void respond();
    };
  };
  for (const path of [tracePath, metricsPath]) {
    server.addService({ export: methodOf(path) }, { export: handle(path) });
  }
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`localhost:${port}`, grpcCredentials(tls), (error, got) => (error ? reject(error) : resolve(got)));
  });
  return { port: bound, close: async () => server.forceShutdown() };
}

function grpcCredentials(tls: OtlpReceiverOptions['tls']): grpc.ServerCredentials {
  if (!tls) return grpc.ServerCredentials.createInsecure();
  const pair = { cert_chain: tls.cert, private_key: tls.key };
  return grpc.ServerCredentials.createSsl(tls.ca ?? null, [pair], tls.ca !== undefined);
}

/** Messages stay bytes. */
function methodOf(path: string): grpc.MethodDefinition<Buffer, Buffer> {
  const same = (bytes: Buffer) => bytes;
  return {
    path,
    requestStream: false,
    responseStream: false,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
}

async function listenHttp(store: Store, { port = 0, tls }: OtlpReceiverOptions): Promise<Listening> {
  const onRequest: http.RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
      const body = Buffer.concat(chunks);
      const bytes = headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
      void store.take(request.url ?? '', headers, bytes).then(
        (taken) => response.writeHead(taken === 'ok' ? 200 : taken, { 'content-type': 'application/x-protobuf' }).end(),
        () => response.writeHead(400).end(),
      );
    });
  };
  const server = tls
    ? https.createServer({ ...tls, requestCert: tls.ca !== undefined }, onRequest)
    : http.createServer(onRequest);
  await new Promise<void>((resolve) => server.listen(port, 'localhost', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}
