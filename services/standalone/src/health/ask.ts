import { connect } from 'node:http2';
import type { Clock } from '@shoal/core';

/** A HealthCheckResponse whose status is SERVING, as a gRPC message: not compressed, two bytes, field 1 = 1. */
const serving = Buffer.from([0, 0, 0, 0, 2, 0x08, 0x01]);

export interface HealthQuestion {
  /** HOST:PORT of a server without TLS. */
  readonly address: string;
  /** '' = the server as a whole. */
  readonly service: string;
  readonly timeoutMs: number;
}

/**
 * Asks a server's grpc.health.v1 whether it serves: resolves with undefined when it does, else with what is wrong. On Node's own
 * HTTP/2, so that a health check that runs every few seconds loads nothing else.
 */
export function askHealth({ address, service, timeoutMs }: HealthQuestion, clock: Clock): Promise<string | undefined> {
  return new Promise((resolve) => {
    const session = connect(`http://${address}`);
    const end = (reason: string | undefined) => {
      cancel();
      session.destroy();
      resolve(reason);
    };
    const cancel = clock.schedule(timeoutMs, () => end('no answer in time'));
    session.on('error', (error) => end(error.message));
    const call = session.request({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const chunks: Buffer[] = [];
    let status: string | undefined;
    const noteStatus = (headers: NodeJS.Dict<string | string[]>) => {
      const told = headers['grpc-status'];
      if (typeof told === 'string') status = told;
    };
    call.on('response', noteStatus);
    call.on('trailers', noteStatus);
    call.on('error', (error) => end(error.message));
    call.on('data', (chunk: Buffer) => chunks.push(chunk));
    // An empty body may end before its trailers came, so the verdict waits for the stream's close.
    call.on('close', () => {
      if (status === undefined) end('no gRPC answer');
      else if (status !== '0') end(`gRPC status ${status}`);
      else end(Buffer.concat(chunks).equals(serving) ? undefined : 'not serving');
    });
    call.end(requestFor(service));
  });
}

/** A HealthCheckRequest as a gRPC message: field 1 is the service's name. */
function requestFor(service: string): Buffer {
  const name = Buffer.from(service);
  const message = name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a, name.length]), name]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}
