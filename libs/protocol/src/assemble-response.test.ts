import { ShoalError } from '@shoal/core';
import * as fc from 'fast-check';
import { type InferResponseParts, ResponseHead, assembleInferResponse } from './assemble-response';
import type { InferParameter } from './parameters';
import { scanInferResponse } from './scan-response';
import { plainResponse } from './testing/plain';
import { decodePlain } from './testing/schema';
import { wrapStreamResponse } from './stream-response';

const text = fc.string({ maxLength: 8, unit: 'binary' });
const parameter: fc.Arbitrary<InferParameter> = fc.oneof(
  fc.constant({ kind: 'none' as const }),
  fc.boolean().map((value) => ({ kind: 'bool' as const, value })),
  fc
    .oneof(fc.maxSafeInteger(), fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n))
    .map((value) => ({ kind: 'int64' as const, value })),
  text.map((value) => ({ kind: 'string' as const, value })),
  fc.double({ noNaN: true }).map((value) => ({ kind: 'double' as const, value })),
  fc.oneof(fc.maxSafeNat(), fc.bigInt(0n, 2n ** 64n - 1n)).map((value) => ({ kind: 'uint64' as const, value })),
);
const parameters = fc.array(fc.tuple(text, parameter), { maxLength: 3 }).map((entries) => new Map(entries));
const chunk = fc.uint8Array({ maxLength: 300 });
const output = fc.record({
  name: text,
  datatype: text,
  shape: fc.array(fc.oneof(fc.nat({ max: 300 }), fc.maxSafeInteger()), { maxLength: 5 }),
  parameters,
  contents: fc.oneof(chunk, fc.array(chunk, { maxLength: 3 })),
});
const inPieces = (parts: InferResponseParts) =>
  new ResponseHead(parts).pieces(
    parts.id,
    parts.outputs.map(({ contents }) => contents),
  );

const response: fc.Arbitrary<InferResponseParts> = fc.record({
  model: text,
  version: text,
  id: text,
  parameters,
  outputs: fc.array(output, { maxLength: 3 }),
});

test('protobufjs and our own scan read what was assembled, and its size was foretold', () => {
  fc.assert(
    fc.property(response, (parts) => {
      const bytes = assembleInferResponse(parts);
      expect(() => assembleInferResponse(parts, bytes.length - 1)).toThrow(ShoalError);
      expect(assembleInferResponse(parts, bytes.length).equals(bytes)).toBe(true);
      const decoded = decodePlain('ModelInferResponse', bytes);
      expect(plainResponse(scanInferResponse(bytes))).toEqual(decoded);
      expect(decoded).toMatchObject({ model_name: parts.model, model_version: parts.version, id: parts.id });
      expect(decoded['outputs']).toMatchObject(
        parts.outputs.map(({ name, datatype, shape }) => ({ name, datatype, shape: shape.map(String) })),
      );
      expect(decoded['raw_output_contents']).toEqual(
        parts.outputs.map(({ contents }) => [
          ...(contents instanceof Uint8Array ? contents : Buffer.concat(contents as Uint8Array[])),
        ]),
      );
    }),
    { numRuns: 300 },
  );
});

test('pieces make up the same message; large contents are passed on as they are', () => {
  const sizes = fc.constantFrom(0, 1, 16_383, 16_384, 40_000);
  const chunkOfSize = sizes.map((size) => new Uint8Array(size).fill(size % 251));
  const contents = fc.oneof(chunkOfSize, fc.array(chunkOfSize, { maxLength: 3 }));
  const outputs = fc.array(fc.record({ name: text, datatype: text, shape: fc.constant([1]), contents }), {
    maxLength: 4,
  });
  fc.assert(
    fc.property(fc.record({ model: text, version: text, id: text, outputs }), (parts) => {
      const pieces = inPieces(parts);
      expect(Buffer.concat(pieces).equals(assembleInferResponse(parts))).toBe(true);
      const large: Uint8Array[] = parts.outputs.flatMap((one) => one.contents).filter(({ length }) => length >= 16_384);
      expect(pieces.filter((piece) => large.includes(piece))).toEqual(large);
    }),
  );
});

test('wrapping for a stream adds the parameters and leaves the rest', () => {
  fc.assert(
    fc.property(response, parameters, (parts, extra) => {
      const plain = decodePlain('ModelStreamInferResponse', wrapStreamResponse(assembleInferResponse(parts), extra));
      const merged = { ...parts, parameters: new Map([...(parts.parameters ?? []), ...extra]) };
      expect(plain['infer_response']).toEqual(decodePlain('ModelInferResponse', assembleInferResponse(merged)));
    }),
  );
});

test('a response over the limit is refused before anything is allocated', () => {
  // Sixteen gigabytes, were they allocated.
  const gigabyte = { length: 2 ** 30 } as Uint8Array;
  const parts = {
    model: 'm',
    version: '1',
    id: '',
    outputs: [{ name: 'O', datatype: 'UINT8', shape: [2 ** 34], contents: Array<Uint8Array>(16).fill(gigabyte) }],
  };
  expect(() => inPieces(parts)).toThrow(ShoalError);
  expect(() => assembleInferResponse(parts)).toThrow(
    new ShoalError(
      'RESOURCE_EXHAUSTED',
      "Response has byte size 17179869215 which exceeds gRPC's byte size limit 2147483647.",
    ),
  );
});
