import { frame } from './frame';

/** Resets beyond what nghttp2 allows at once. */
const resets = 1500;

/**
 * What an HTTP/2 client sends that begins one call and then begins and cancels many more: a whole connection's bytes,
 * as a client with the manners of node:http2 or grpc cannot be made to send them.
 * @param who Value of the header `x-who` of the first call; the others have ''.
 */
export function hastyCalls(path: string, who: string): Buffer {
  const frames = [Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(4, 0, 0), begin(1, path, who)];
  for (let i = 0, stream = 3; i < resets; i += 1, stream += 2) {
    frames.push(begin(stream, path, ''), frame(3, 0, stream, Buffer.from([0, 0, 0, 8])));
  }
  return Buffer.concat(frames);
}

/** HEADERS with END_HEADERS. */
function begin(stream: number, path: string, who: string): Buffer {
  // From HPACK's static table: `:method: POST`, `:scheme: http`.
  const fields = [Buffer.from([0x83, 0x86]), literal(':authority', 'x'), literal(':path', path)];
  fields.push(literal('content-type', 'application/grpc'), literal('te', 'trailers'), literal('x-who', who));
  return frame(1, 4, stream, Buffer.concat(fields));
}

/** A header field without indexing; names and values below 127 bytes. */
function literal(name: string, value: string): Buffer {
  const [key, text] = [Buffer.from(name), Buffer.from(value)];
  return Buffer.concat([Buffer.from([0, key.length]), key, Buffer.from([text.length]), text]);
}
