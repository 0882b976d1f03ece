import { ShoalError } from '@shoal/core';
import * as fc from 'fast-check';
import {
  decodeByteElements,
  decodeStrings,
  encodeByteElements,
  encodeStrings,
  stringsByteSize,
  walkByteElements,
} from './byte-elements';

const elements = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 10 });
/** Strings that ONNX Runtime can hold: no lone surrogates, no NUL. */
const fitting = fc.array(
  fc.string({ maxLength: 10, unit: 'binary' }).map((text) => text.replaceAll('\0', '')),
  { maxLength: 10 },
);

test('arbitrary bytes round-trip, and are counted', () => {
  fc.assert(
    fc.property(elements, (given) => {
      const raw = encodeByteElements(given);
      expect(decodeByteElements(raw).map((element) => [...element])).toEqual(given.map((element) => [...element]));
      expect(walkByteElements(raw)).toEqual({ ok: true, count: given.length });
    }),
  );
});

test('strings round-trip, a byte order mark among them', () => {
  fc.assert(
    fc.property(fitting, (strings) => {
      const raw = encodeStrings(strings);
      expect(raw.length).toBe(stringsByteSize(strings));
      expect(decodeStrings(raw)).toEqual(strings);
    }),
    { examples: [[['\ufeffa', '\ufffd', '', '😀']]] },
  );
});

test('strings are the UTF-8 of their elements', () => {
  expect([...encodeStrings(['é', ''])]).toEqual([2, 0, 0, 0, 0xc3, 0xa9, 0, 0, 0, 0]);
});

describe('what ONNX Runtime cannot hold is refused, not altered', () => {
  test.each([
    ['a byte that is no UTF-8', Uint8Array.of(0x61, 0xff), 'BYTES element 1 is not valid UTF-8'],
    ['a surrogate encoded alone', Uint8Array.of(0xed, 0xa0, 0x80), 'BYTES element 1 is not valid UTF-8'],
    ['a NUL', Uint8Array.of(0x61, 0, 0x62), 'BYTES element 1 holds a NUL byte'],
  ])('%s', (_name, element, text) => {
    const raw = encodeByteElements([Uint8Array.of(0x78), element]);
    expect(() => decodeStrings(raw)).toThrow(ShoalError);
    expect(() => decodeStrings(raw)).toThrow(text);
  });
});

describe('broken framing', () => {
  const three = encodeStrings(['a', 'b', 'c']);

  test('a cut length', () => {
    const raw = three.subarray(0, 12);
    expect(walkByteElements(raw)).toEqual({ ok: false, fault: 'length', count: 2, available: 2 });
    expect(() => decodeByteElements(raw)).toThrow('BYTES element 2 is incomplete');
  });

  test('a length beyond the end, up to 2^32 - 1', () => {
    const raw = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 1);
    expect(walkByteElements(raw)).toEqual({ ok: false, fault: 'data', count: 0, expected: 4294967295, available: 1 });
    expect(() => decodeStrings(raw)).toThrow('BYTES element 0 is incomplete');
  });

  test('more elements than wanted', () => {
    expect(walkByteElements(three, 2)).toEqual({ ok: false, fault: 'limit', count: 2 });
    expect(walkByteElements(three, 3)).toEqual({ ok: true, count: 3 });
  });
});
