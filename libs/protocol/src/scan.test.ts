import { ShoalError, seededRandom } from '@shoal/core';
import * as fc from 'fast-check';
import { checkInferRequest } from './check-request';
import { maxTensors, scanInferRequest } from './scan-request';
import { scanInferResponse } from './scan-response';
import { fromBase64, goldenCases, goldenModels } from './testing/golden';
import { plainRequest, plainResponse } from './testing/plain';
import { decodePlain } from './testing/schema';
import { bytesField, inferRequest, inferResponse, stringField, varint, varintField } from './testing/wire-bytes';

test('a scanned request says what protobufjs decodes', () => {
  fc.assert(
    fc.property(inferRequest, (bytes) => {
      expect(plainRequest(scanInferRequest(bytes))).toEqual(decodePlain('ModelInferRequest', bytes));
    }),
    { numRuns: 200 },
  );
});

test('a scanned response says what protobufjs decodes', () => {
  fc.assert(
    fc.property(inferResponse, (bytes) => {
      expect(plainResponse(scanInferResponse(bytes))).toEqual(decodePlain('ModelInferResponse', bytes));
    }),
    { numRuns: 200 },
  );
});

test('raw contents are views into the message', () => {
  const message = Buffer.from(bytesField(7, Uint8Array.of(1, 2, 3)));
  const [raw] = scanInferRequest(message).rawInputContents;
  expect([raw?.buffer, raw?.byteOffset]).toEqual([message.buffer, message.byteOffset + 2]);
});

/** Scans and checks `bytes`: may refuse them, but only with a ShoalError. True when they were refused. */
function refused(bytes: Buffer): boolean {
  try {
    const view = scanInferRequest(bytes);
    const signature = goldenModels.get(view.modelName) ?? goldenModels.get('simple');
    checkInferRequest(view, signature as NonNullable<typeof signature>, { unary: false });
    return false;
  } catch (thrown) {
    if (thrown instanceof ShoalError) return true;
    throw thrown;
  }
}

const recorded = [...goldenCases('infer'), ...goldenCases('infer-errors')].map(({ request }) =>
  fromBase64(request as string),
);

test('a request cut anywhere is at worst refused', () => {
  for (const request of recorded) {
    for (let end = 0; end < request.length; end += 1) refused(request.subarray(0, end));
  }
  // And a cut within the last field, which ends the message, is always noticed.
  for (const request of recorded) expect(() => scanInferRequest(request.subarray(0, -1))).toThrow(ShoalError);
});

test('a request with any bytes changed is at worst refused', () => {
  const random = seededRandom(20260921);
  const below = (limit: number): number => Math.floor(random.next() * limit);
  let refusals = 0;
  for (let round = 0; round < 200; round += 1) {
    for (const request of recorded) {
      const bytes = Buffer.from(request);
      const changes = 1 + below(4);
      for (let change = 0; change < changes; change += 1) bytes[below(bytes.length)] = below(256);
      if (refused(bytes)) refusals += 1;
    }
  }
  expect(refusals).toBeGreaterThan(100);
});

test('arbitrary bytes are at worst refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect(typeof refused(Buffer.from(bytes))).toBe('boolean');
    }),
    { numRuns: 1000 },
  );
});

describe('refusals say what and where', () => {
  const request = (...fields: Uint8Array[]): (() => unknown) => {
    return () => scanInferRequest(Buffer.concat(fields));
  };
  const input = (...fields: Uint8Array[]): Uint8Array => bytesField(5, Buffer.concat(fields));

  test.each([
    ['a group', request(Uint8Array.of((9 << 3) | 3)), 'field 9 has the unsupported wire type 3 at byte 1'],
    ['field number 0', request(Uint8Array.of(0x02, 0)), 'field number 0 at byte 1'],
    ['a long tag', request(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x7f)), 'field tag of more than 32 bits at byte 5'],
    ['a cut tag', request(Uint8Array.of(0x80)), 'truncated field tag at byte 1'],
    ['a false length', request(Uint8Array.of(0x0a, 9, 65)), 'model_name claims 9 bytes where 1 are left at byte 2'],
    [
      'a huge length',
      request(Uint8Array.of(0x3a, 0xff, 0xff, 0xff, 0xff, 0x0f)),
      'raw_input_contents claims 4294967295 bytes where 0 are left at byte 6',
    ],
    ['an endless varint', request(Uint8Array.of(0x78, ...Array<number>(10).fill(0xff))), 'more than 64 bits'],
    ['a varint of 65 bits', request(Uint8Array.of(0x78, ...Array<number>(9).fill(0xff), 2)), 'more than 64 bits'],
    ['bytes that are no text', request(Uint8Array.of(0x1a, 1, 0xff)), 'id is not valid UTF-8 at byte 2'],
    [
      'a length beyond its message',
      request(input(Uint8Array.of(0x0a, 2, 65)), Uint8Array.of(65)),
      "a tensor's name claims 2",
    ],
    [
      'a dimension beyond 2^53',
      request(input(varintField(3, 2n ** 60n))),
      'dimension 1152921504606846976 is out of range',
    ],
    ['65 dimensions', request(input(bytesField(3, new Uint8Array(65)))), 'more than 64 dimensions'],
    [
      '4097 inputs',
      request(...Array<Uint8Array>(maxTensors + 1).fill(Uint8Array.of(0x2a, 0))),
      'more than 4096 inputs',
    ],
    [
      '1025 parameters',
      request(...Array.from({ length: 1025 }, (_, i) => bytesField(4, stringField(1, `key ${i}`)))),
      'more than 1024 parameters',
    ],
    [
      '17 outputs with 1000 parameters each',
      request(
        ...Array.from({ length: 17 }, () =>
          bytesField(
            6,
            Buffer.concat(Array.from({ length: 1000 }, (_, i) => bytesField(2, stringField(1, `key ${i}`)))),
          ),
        ),
      ),
      'more than 16384 parameters in all',
    ],
    [
      'contents in 1025 pieces',
      request(input(...Array<Uint8Array>(1025).fill(Uint8Array.of(0x2a, 0)))),
      'more than 1024 pieces of contents',
    ],
  ])('%s', (_name, scan, problem) => {
    expect(scan).toThrow(ShoalError);
    expect(scan).toThrow(problem);
  });

  test('a packed shape that ends within a number', () => {
    expect(request(input(Buffer.concat([varint((3 << 3) | 2), Uint8Array.of(1, 0x80)])))).toThrow('truncated number');
  });
});
