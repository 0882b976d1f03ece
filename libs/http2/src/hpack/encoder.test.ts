import * as fc from 'fast-check';
import { HpackDecoder } from './decoder';
import { HpackEncoder } from './encoder';
import { type HeaderPairs, PreparedHeaders, measurePairs } from './prepared-headers';

const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,40}$/);
const value = fc
  .string({ unit: fc.integer({ min: 0x20, max: 0xff }).map((c) => String.fromCharCode(c)), maxLength: 300 })
  .map((text) =>
    text
      .replace(/[\x7f]/g, '')
      .trim()
      .replace(/^\u00a0+|\u00a0+$/g, ''),
  );
const forbidden = /^(te|connection|keep-alive|proxy-connection|transfer-encoding|upgrade|content-length)$/;
const pairs = fc
  .array(fc.tuple(name, value), { maxLength: 12 })
  .map((list) => list.filter(([key]) => !forbidden.test(key)).flat());

const encode = (encoder: HpackEncoder, prepared: PreparedHeaders | null, extra: HeaderPairs | null): Buffer => {
  const out = Buffer.alloc(8 + (prepared?.maxBytes ?? 0) + (extra ? measurePairs(extra) : 0));
  return out.subarray(0, encoder.encode(out, 0, prepared, extra));
};
const decode = (decoder: HpackDecoder, bytes: Buffer) => {
  const block = decoder.decode(bytes, 0, bytes.length);
  expect(block.malformed).toBe(false);
  return block.fields.flatMap((field) => [field.name, field.value]);
};

test('what is encoded is decoded, over many blocks and changes of the table size', () => {
  const step = fc.record({
    which: fc.nat(5),
    extra: pairs,
    resize: fc.option(fc.constantFrom(0, 40, 100, 4096, 65_536), { freq: 6 }),
  });
  fc.assert(
    fc.property(fc.array(pairs, { minLength: 6, maxLength: 6 }), fc.array(step, { maxLength: 40 }), (lists, steps) => {
      const encoder = new HpackEncoder();
      const decoder = new HpackDecoder(65_536, 1 << 20);
      const prepared = lists.map((list) => new PreparedHeaders(list));
      for (const { which, extra, resize } of steps) {
        if (resize !== null) encoder.peerTableSize = resize;
        const bytes = encode(encoder, prepared[which]!, extra);
        expect(decode(decoder, bytes)).toEqual([...lists[which]!, ...extra]);
      }
    }),
    { numRuns: 150 },
  );
});

test('the third time, a prepared list costs a byte a field', () => {
  const encoder = new HpackEncoder();
  const decoder = new HpackDecoder(4096, 65_536);
  const prepared = new PreparedHeaders([':status', '200', 'content-type', 'application/grpc', 'x-a', 'b']);
  const blocks = [1, 2, 3].map(() => encode(encoder, prepared, null));
  const decoded = blocks.map((bytes) => decoder.decode(bytes, 0, bytes.length));
  expect(blocks.map((bytes) => bytes.length)).toEqual([26, 3, 3]);
  expect(decoded[2]).toBe(decoded[1]); // and is decoded by looking it up
});

test('a smaller table of the peer is announced and obeyed', () => {
  const encoder = new HpackEncoder();
  const decoder = new HpackDecoder(4096, 65_536);
  const prepared = new PreparedHeaders(['x-name', 'a value']);
  decode(decoder, encode(encoder, prepared, null));
  encoder.peerTableSize = 0;
  const bytes = encode(encoder, prepared, null);
  expect(bytes[0]).toBe(0x20); // RFC 7541 §4.2: the update comes first
  decode(decoder, bytes);
  expect(decoder.tableSize).toBe(0);
  expect(decode(decoder, encode(encoder, prepared, null))).toEqual(['x-name', 'a value']);
});

test('credentials never enter a table', () => {
  const encoder = new HpackEncoder();
  const decoder = new HpackDecoder(4096, 65_536);
  const prepared = new PreparedHeaders(['authorization', 'Bearer secret']);
  const bytes = [encode(encoder, prepared, null), encode(encoder, null, ['authorization', 'Bearer secret'])];
  for (const block of bytes) {
    expect(block[0]! & 0xf0).toBe(0x10); // RFC 7541 §6.2.3
    decode(decoder, block);
  }
  expect(decoder.tableSize).toBe(0);
});

test.each([
  [['Upper', 'x']],
  [['', 'x']],
  [['a b', 'x']],
  [['name', 'line\nbreak']],
  [['name', ' blank']],
  [['name', '\u0416']],
  [['alone']],
])('%j is refused', (list) => {
  expect(() => new PreparedHeaders(list)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
});
