import { loadSync } from 'protobufjs';
import path from 'node:path';
import { protoDir } from '../../../../test/support/otlp/decode';
import { readPartialSuccess } from './partial-success';

const type = loadSync(path.join(protoDir, 'collector-trace.proto')).lookupType(
  'opentelemetry.proto.collector.trace.v1.ExportTraceServiceResponse',
);

test.each([
  [{}, undefined],
  [{ partialSuccess: {} }, undefined],
  [{ partialSuccess: { rejectedSpans: 300 } }, { rejectedSpans: 300, errorMessage: '' }],
  [
    { partialSuccess: { rejectedSpans: 2 ** 40, errorMessage: 'zu viel é' } },
    { rejectedSpans: 2 ** 40, errorMessage: 'zu viel é' },
  ],
])('%j', (response, expected) => {
  expect(readPartialSuccess(type.encode(type.create(response)).finish())).toEqual(expected);
});

test('fields that are not known are passed over; what is no message is told', () => {
  const known = Buffer.from(type.encode(type.create({ partialSuccess: { rejectedSpans: 1 } })).finish());
  const others = Buffer.from([0x11, 1, 2, 3, 4, 5, 6, 7, 8, 0x25, 1, 2, 3, 4, 0x18, 5]);
  expect(readPartialSuccess(Buffer.concat([others, known]))).toEqual({ rejectedSpans: 1, errorMessage: '' });
  for (const bytes of [[0x0a], [0x0a, 5, 1], [0x0b], [0x08, 0x80]]) {
    expect(() => readPartialSuccess(Buffer.from(bytes))).toThrow(RangeError);
  }
});
