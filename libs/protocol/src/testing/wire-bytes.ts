import * as fc from 'fast-check';

/*
 * Arbitrary wire bytes, built field by field so that order, repetition, packing and unknown fields are arbitrary, too:
 * what other languages' encoders send, and what they might. Written apart from the code under test.
 */

/** A varint of 64 bits, two's complement. */
export function varint(value: bigint | number): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

/** A field of wire type 0. */
export function varintField(number: number, value: bigint | number): Uint8Array {
  return Buffer.concat([varint((number << 3) | 0), varint(value)]);
}

/** A field of wire type 2. */
export function bytesField(number: number, bytes: Uint8Array): Uint8Array {
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

/** A string field. */
export function stringField(number: number, text: string): Uint8Array {
  return bytesField(number, Buffer.from(text));
}

/** A field of wire type 1. */
export function doubleField(number: number, value: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return Buffer.concat([varint(number * 8 + 1), bytes]);
}

/** A field of wire type 5. */
export function floatField(number: number, value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return Buffer.concat([varint(number * 8 + 5), bytes]);
}

type Fields = fc.Arbitrary<readonly Uint8Array[]>;

const unknownField = fc.oneof(
  fc.bigInt(0n, 2n ** 64n - 1n).map((value) => varintField(99, value)),
  fc.double().map((value) => doubleField(100, value)),
  fc.uint8Array({ maxLength: 20 }).map((value) => bytesField(536870911, value)),
  fc.float().map((value) => floatField(77, value)),
  // A known number with another wire type is an unknown field, too.
  fc.integer({ min: 1, max: 5 }).map((number) => floatField(number, 1)),
);

/** Puts encoded fields together in arbitrary order, with unknown fields between them. */
function message(...fields: Fields[]): fc.Arbitrary<Uint8Array> {
  return fc
    .tuple(fc.tuple(...fields), fc.array(unknownField, { maxLength: 2 }))
    .chain(([known, unknown]) => {
      const all = [...known.flat(), ...unknown];
      return fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length });
    })
    .map((parts) => new Uint8Array(Buffer.concat(parts)));
}

/** UTF-8 must be well-formed, so no lone surrogates. */
const text = fc.oneof(fc.string({ maxLength: 12 }), fc.string({ maxLength: 8, unit: 'binary' }));

const strings = (number: number): Fields =>
  fc.array(
    text.map((value) => stringField(number, value)),
    { maxLength: 2 },
  );

const blobs = (number: number, value: fc.Arbitrary<Uint8Array>, maxLength: number): Fields =>
  fc.array(
    value.map((bytes) => bytesField(number, bytes)),
    { maxLength },
  );

const int64 = fc.oneof(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), fc.bigInt(-5n, 300n));

const parameterValue = message(
  fc.array(
    fc.oneof(
      fc.boolean().map((value) => varintField(1, value ? 1 : 0)),
      int64.map((value) => varintField(2, value)),
      text.map((value) => stringField(3, value)),
      fc.double({ noNaN: true }).map((value) => doubleField(4, value)),
      fc.bigInt(0n, 2n ** 64n - 1n).map((value) => varintField(5, value)),
    ),
    { maxLength: 2 },
  ),
);

const parameters = (number: number): Fields => blobs(number, message(strings(1), blobs(2, parameterValue, 2)), 3);

/** Dimensions as encoders send them: packed, unpacked, and mixed. */
const shape: Fields = fc.array(
  fc.oneof(
    fc.integer({ min: -2, max: 300 }).map((dim) => varintField(3, dim)),
    fc.array(fc.maxSafeInteger(), { maxLength: 4 }).map((dims) => bytesField(3, Buffer.concat(dims.map(varint)))),
  ),
  { maxLength: 3 },
);

/** InferTensorContents with values of any types. */
export const contents = message(
  fc.array(
    fc.oneof(
      fc.boolean().map((value) => varintField(1, value ? 1 : 0)),
      fc.integer().map((value) => varintField(2, value)),
      fc.float({ noNaN: true }).map((value) => floatField(6, value)),
      fc.uint8Array({ maxLength: 6 }).map((value) => bytesField(8, value)),
    ),
    { maxLength: 4 },
  ),
);

const tensor = message(strings(1), strings(2), shape, parameters(4), blobs(5, contents, 2));
const requestedOutput = message(strings(1), parameters(2));
const raw = fc.uint8Array({ maxLength: 40 });

/** inference.ModelInferRequest. */
export const inferRequest = message(
  strings(1),
  strings(2),
  strings(3),
  parameters(4),
  blobs(5, tensor, 3),
  blobs(6, requestedOutput, 3),
  blobs(7, raw, 3),
).map((bytes) => Buffer.from(bytes));

/** inference.ModelInferResponse. */
export const inferResponse = message(
  strings(1),
  strings(2),
  strings(3),
  parameters(4),
  blobs(5, tensor, 3),
  blobs(6, raw, 3),
).map((bytes) => Buffer.from(bytes));
