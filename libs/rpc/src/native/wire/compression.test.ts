import { until } from '@shoal/testing';
import { gunzipSync, inflateSync } from 'node:zlib';
import { Deflater, accepts, messageEncoding } from './compression';

test('encodings by name', () => {
  expect([undefined, 'identity', 'gzip', 'deflate', 'br'].map(messageEncoding)).toEqual([
    'identity',
    'identity',
    'gzip',
    'deflate',
    undefined,
  ]);
  expect(accepts('identity, deflate,gzip', 'gzip')).toBe(true);
  expect(accepts('identity', 'gzip')).toBe(false);
  expect(accepts(undefined, 'gzip')).toBe(false);
});

test.each([
  ['gzip', gunzipSync],
  ['deflate', inflateSync],
] as const)('%s: in order, small or large, and as it was where nothing is gained', async (encoding, inflate) => {
  const sent: { message: Buffer; compressed: boolean }[] = [];
  const deflater = new Deflater({ encoding, level: 6 }, (message, compressed) => sent.push({ message, compressed }));
  const random = Buffer.from(Array.from({ length: 1000 }, (_, i) => (i * i * 7919) >> 5));
  const messages = [Buffer.alloc(2_000_000, 1), Buffer.from('short'), Buffer.alloc(5000, 2), random, Buffer.alloc(0)];
  let reached: number | undefined;
  for (const message of messages) deflater.push(message);
  deflater.afterwards(() => (reached = sent.length));
  deflater.push(Buffer.from('last'));
  expect(sent).toEqual([]);
  expect(deflater.waitingBytes).toBe(2_006_009);
  await until(() => sent.length === messages.length + 1);
  expect(reached).toBe(messages.length);
  expect(deflater.waitingBytes).toBe(0);
  sent.slice(0, -1).forEach(({ message, compressed }, i) => {
    expect((compressed ? inflate(message) : message).equals(messages[i]!)).toBe(true);
  });
  expect(sent.map(({ compressed }) => compressed)).toEqual([true, false, true, false, false, false]);
});

test('dropped, it hands on nothing more', async () => {
  const sent: Buffer[] = [];
  const deflater = new Deflater({ encoding: 'gzip', level: 1 }, (message) => sent.push(message));
  deflater.push(Buffer.alloc(100_000));
  deflater.push(Buffer.alloc(10));
  deflater.drop();
  deflater.push(Buffer.from('after'));
  expect(deflater.waitingBytes).toBe(0);
  const other: Buffer[] = [];
  new Deflater({ encoding: 'gzip', level: 1 }, (message) => other.push(message)).push(Buffer.alloc(1_000_000));
  await until(() => other.length > 0);
  expect(sent).toEqual([]);
});
