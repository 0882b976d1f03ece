import { BackWriter } from './back-writer';
import { encodeAttribute } from './encode-attribute';
import { KnownFields } from './known-fields';

test('a field is that which would be written, each time', () => {
  const known = new KnownFields(0x4a, 10);
  const writer = new BackWriter();
  encodeAttribute(writer, 0x4a, 'key', 'é');
  const written = new Uint8Array(writer.buffer.subarray(writer.at));
  expect(known.pair('key', 'é')).toEqual(written);
  expect(known.pair('key', 'é')).toBe(known.pair('key', 'é'));
  expect(known.pair('other', 'é')).not.toEqual(written);
  expect(known.name('abc')).toEqual(new Uint8Array([0x4a, 3, 97, 98, 99]));
});

test('of each kind there are so many, of so many characters; then none is added, and those that are there stay', () => {
  const known = new KnownFields(0x12, 3);
  for (const text of ['a', 'b', 'c']) {
    expect(known.name(text)).toBeDefined();
    expect(known.pair('key', text)).toBeDefined();
  }
  expect([known.name('d'), known.pair('key', 'd')]).toEqual([undefined, undefined]);
  expect([known.name('a'), known.pair('key', 'a')]).not.toContain(undefined);
  expect(known.pair('key 2', 'long')).toBeUndefined();
  expect(known.pair('key 2', 'abc')).toBeDefined();
  expect(known.pair('key 3', 'abc')).toBeDefined();
  expect(known.pair('key 4', 'abc')).toBeUndefined();
  expect(new KnownFields(0x12, 3).name('long')).toBeUndefined();
});
