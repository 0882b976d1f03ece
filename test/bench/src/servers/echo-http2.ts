import { type ServerHttp2Session, type ServerHttp2Stream, createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { sinkAnswer } from '../echo-service';

/* An echo server on Node's own HTTP/2 with the least gRPC that a client accepts: what grpc-js could be at best. */

const head = { ':status': 200, 'content-type': 'application/grpc' };
const windowBytes = 8 * 1024 * 1024;

function respond(stream: ServerHttp2Stream, path: string | undefined): void {
  stream.on('error', () => undefined);
  stream.respond(head, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  if (path === '/bench.Echo/Bidi') {
    // The frames of gRPC come back as they are.
    stream.on('data', (chunk: Buffer) => stream.write(chunk));
    stream.on('end', () => stream.end());
    return;
  }
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('end', () => stream.end(path === '/bench.Echo/Sink' ? framedSink : Buffer.concat(chunks)));
}

const framedSink = Buffer.concat([Buffer.from([0, 0, 0, sinkAnswer.length >> 8, sinkAnswer.length & 255]), sinkAnswer]);

const server = createServer({ settings: { initialWindowSize: windowBytes } });
server.on('session', (session: ServerHttp2Session) => session.setLocalWindowSize(windowBytes));
server.on('stream', (stream, headers) => respond(stream, headers[':path']));
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`serving at 127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
process.once('SIGTERM', () => process.exit(0));
