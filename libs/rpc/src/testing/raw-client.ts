import { seededRandom, systemClock } from '@shoal/core';
import { type AbortReason, ClientConnection, type HeaderBlock, type Stream, type StreamHandler } from '@shoal/http2';
import { connect } from 'node:net';

/** What came back on a stream so far. */
export interface RawAnswer {
  readonly stream: Stream;
  headers: HeaderBlock | undefined;
  readonly body: Buffer[];
  /** Those of a response that is nothing else are `headers`. */
  trailers: HeaderBlock | undefined;
  aborted: AbortReason | undefined;
  /** All has come, or nothing more will. */
  over: boolean;
}

/** A client that sends what no gRPC library could be made to send. */
export function rawClient(port: number): ClientConnection {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  return new ClientConnection(socket, { clock: systemClock, random: seededRandom(1) });
}

/** Opens a stream with these headers over those of a gRPC call. */
export function rawCall(
  client: ClientConnection,
  path: string,
  headers: Record<string, string> = {},
  ends = false,
): RawAnswer {
  const own = { ':method': 'POST', ':scheme': 'http', ':path': path, ':authority': 'here' };
  const fields = { ...own, 'content-type': 'application/grpc', te: 'trailers', ...headers };
  const stream = client.request(null, Object.entries(fields).flat(), collector, ends);
  if (stream === null) throw new Error('the connection takes no more streams');
  const answer: RawAnswer = {
    stream,
    headers: undefined,
    body: [],
    trailers: undefined,
    aborted: undefined,
    over: false,
  };
  stream.user = answer;
  return answer;
}

/** `grpc-status` and `grpc-message`, wherever they are. */
export function rawStatus(answer: RawAnswer): [string | undefined, string | undefined] {
  const block = answer.trailers ?? answer.headers;
  return [block?.get('grpc-status'), block?.get('grpc-message')];
}

/** A message as it travels. */
export function framed(message: Buffer | string, flag = 0): Buffer {
  const bytes = Buffer.from(message);
  const prefix = Buffer.alloc(5, flag);
  prefix.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([prefix, bytes]);
}

const collector: StreamHandler = {
  onHeaders: (stream, block) => (answerOf(stream).headers = block),
  onData(stream, bytes, start, end) {
    answerOf(stream).body.push(Buffer.from(bytes.subarray(start, end)));
    stream.consumed(end - start);
  },
  onTrailers: (stream, block) => (answerOf(stream).trailers = block),
  onEnd: (stream) => (answerOf(stream).over = true),
  onAborted(stream, reason) {
    answerOf(stream).aborted = reason;
    answerOf(stream).over = true;
  },
};

function answerOf(stream: Stream): RawAnswer {
  return stream.user as RawAnswer;
}
