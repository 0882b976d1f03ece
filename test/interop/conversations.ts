import { gzipSync } from 'node:zlib';
import type { Random } from '@shoal/core';
import { clientPreface, flags, frameTypes } from '../../libs/http2/src/frames/constants';
import { frame, settings, word } from '../../libs/http2/src/testing/frames';
import { data, prefixed } from './siege';

const { HEADERS, PING, RST_STREAM, WINDOW_UPDATE } = frameTypes;

/** How likely each part of a conversation is not what a client would send. */
const odd = 0.05;

/** What a client of `test.Echo` sends on one connection: calls of all kinds, mostly right, mixed, then a ping. */
export function conversation(random: Random): Buffer[] {
  const pick = <T>(...choices: T[]): T => choices[Math.floor(random.next() * choices.length)] as T;
  const chance = (likely: number) => random.next() < likely;
  const frames: Buffer[] = [];
  const own: [number, number][] = chance(0.3) ? [[4, pick(0, 1, 100, 65_535, 1 << 20, 0x7fffffff)]] : [];
  frames.push(settings(...own), frame(frameTypes.SETTINGS, flags.ACK, 0));
  const calls: Buffer[][] = Array.from({ length: 1 + Math.floor(random.next() * 8) }, (_, i) => aCall(2 * i + 1));
  // Interleaved; those of one call stay in order, calls begin in order.
  let begun = 0;
  while (calls.some((parts) => parts.length > 0)) {
    const begins = begun < calls.length && chance(0.4);
    const turn = begins || begun === 0 ? begun++ : Math.floor(random.next() * begun);
    const next = calls[turn]?.shift();
    if (next !== undefined) frames.push(next);
  }
  frames.push(frame(PING, 0, 0, Buffer.from('the last')));
  return [clientPreface, ...frames.map((one) => (chance(odd) ? mutated(one, random) : one))];

  function aCall(id: number): Buffer[] {
    const method = pick('Unary', 'Unary', 'Upload', 'Download', 'Chat', ...(chance(odd) ? ['None', ''] : []));
    const encoding = chance(0.2) ? pick('gzip', 'deflate', 'identity', 'br', '') : undefined;
    const headers = [
      [':method', chance(odd) ? pick('GET', 'PUT', '') : 'POST'],
      [':scheme', 'http'],
      [':path', chance(odd) ? pick('/', '*', `/${'x'.repeat(5000)}`, '/test.Echo') : `/test.Echo/${method}`],
      [':authority', 'here'],
      ['content-type', chance(odd) ? pick('text/plain', 'application/grpcx', '') : 'application/grpc+proto'],
      ['te', chance(odd) ? pick('gzip', '') : 'trailers'],
      ...(chance(0.3) ? [['grpc-timeout', pick('1S', '20m', '1u', '99999999H', '123456789S', '-1S', '', '5x')]] : []),
      ...(encoding === undefined ? [] : [['grpc-encoding', encoding]]),
      ...(chance(0.3) ? [['grpc-accept-encoding', pick('gzip', 'identity, gzip', 'br', ',,')]] : []),
      ...(chance(0.3) ? [['x-text', 'y'.repeat(pick(0, 1, 100, 9000))]] : []),
      ...(chance(0.3) ? [['x-data-bin', pick('AAEC', 'AAECAw==', '', '*', 'A')]] : []),
      ...(chance(odd) ? [[pick('X-Upper', 'connection', ':path', ':status', 'a b', ''), 'z']] : []),
    ].filter(() => !chance(odd / 10));
    const once = method === 'Unary' || method === 'Download';
    const messages = once && !chance(odd) ? 1 : Math.floor(random.next() * 5);
    const body = Buffer.concat(Array.from({ length: messages }, () => aMessage(encoding)));
    const parts = [frame(HEADERS, flags.END_HEADERS | (chance(odd) ? 1 : 0), id, block(headers))];
    // DATA ends where it likes, and not where messages do.
    for (let at = 0; at < body.length;) {
      const length = Math.min(body.length - at, pick(1, 4, 5, 6, 100, 16_384));
      parts.push(data(id, body.subarray(at, at + length)));
      at += length;
      if (parts.length > 30) break;
    }
    if (!chance(odd)) parts.push(data(id, Buffer.alloc(0), true));
    if (chance(odd)) parts.splice(Math.floor(random.next() * parts.length) + 1, 0, frame(RST_STREAM, 0, id, word(8)));
    if (chance(0.2)) parts.push(frame(WINDOW_UPDATE, 0, chance(0.5) ? 0 : id, word(pick(1, 1000, 0x7fffffff, 0))));
    return parts;
  }

  function aMessage(encoding: string | undefined): Buffer {
    const plain = Buffer.from(pick('', 'a', '!', 'later', 'fail', 'm'.repeat(pick(10, 1000, 40_000))));
    const squeezes = encoding === 'gzip' && chance(0.7);
    const bytes = squeezes ? gzipSync(plain) : plain;
    const compressed = chance(odd) ? !squeezes : squeezes;
    if (!chance(odd)) return prefixed(bytes, { compressed });
    const wrong = prefixed(bytes, { length: pick(0, 1, bytes.length + 1, 2 ** 20, 2 ** 31, 2 ** 32 - 1), compressed });
    if (chance(0.3)) wrong[0] = pick(2, 128, 255);
    return wrong;
  }
}

/** A header block of literals without indexing (RFC 7541 §6.2.2), whatever they say. */
function block(headers: readonly (readonly string[])[]): Buffer {
  return Buffer.concat(headers.flatMap(([name = '', value = '']) => [Buffer.from([0]), text(name), text(value)]));
}

/** A string literal, not Huffman coded (§5.2), its length below 2^14 + 127. */
function text(content: string): Buffer {
  const { length } = content;
  const size = length < 127 ? [length] : [127, ((length - 127) & 127) | 128, (length - 127) >> 7];
  return Buffer.concat([Buffer.from(size), Buffer.from(content, 'latin1')]);
}

/** Some octets changed, left out or repeated. */
function mutated(bytes: Buffer, random: Random): Buffer {
  const at = Math.floor(random.next() * bytes.length);
  const to = at + 1 + Math.floor(random.next() * 8);
  const kind = random.next();
  if (kind < 0.3) return Buffer.concat([bytes.subarray(0, at), bytes.subarray(to)]);
  if (kind < 0.5) return Buffer.concat([bytes.subarray(0, to), bytes.subarray(at)]);
  const changed = Buffer.from(bytes);
  for (let i = at; i < Math.min(to, changed.length); i += 1) changed[i] = Math.floor(random.next() * 256);
  return changed;
}
