import { HeaderBlock, HeaderField, errorCodes } from '@shoal/http2';
import {
  decodeStatusMessage,
  encodeStatusMessage,
  errorFromHttpStatus,
  errorFromReset,
  errorFromTrailers,
} from './status-trailers';

test.each([
  ['plain text.', 'plain text.'],
  ['100%', '100%25'],
  ['a\nb\tc', 'a%0Ab%09c'],
  [' ends ', '%20ends%20'],
  ['größer 🐟', 'gr%C3%B6%C3%9Fer %F0%9F%90%9F'],
  ['', ''],
])('message %j', (message, encoded) => {
  expect(encodeStatusMessage(message)).toBe(encoded);
  expect(decodeStatusMessage(encoded)).toBe(message);
});

test('a lone surrogate is replaced, a long message cut', () => {
  expect(decodeStatusMessage(encodeStatusMessage('a\ud800b'))).toBe('a\ufffdb');
  expect(encodeStatusMessage('ß'.repeat(10_000)).length).toBeLessThanOrEqual(4096);
});

test.each([
  ['100% of %zz', '100% of %zz'],
  ['%c3%9f%', 'ß%'],
  ['%ff', '\ufffd'],
])('what another implementation sent: %j', (encoded, message) => expect(decodeStatusMessage(encoded)).toBe(message));

function trailers(...pairs: string[]): HeaderBlock {
  const block = new HeaderBlock();
  for (let i = 0; i < pairs.length; i += 2) block.add(new HeaderField(pairs[i]!, pairs[i + 1]!), 1 << 20);
  return block;
}

test('trailers become an error, or none', () => {
  expect(errorFromTrailers(trailers('grpc-status', '0', 'grpc-message', ''))).toBeUndefined();
  expect(errorFromTrailers(trailers('grpc-status', '5', 'grpc-message', 'no%0Asuch'))).toMatchObject({
    code: 'NOT_FOUND',
    message: 'no\nsuch',
  });
  for (const status of ['99', '-1', 'x']) {
    expect(errorFromTrailers(trailers('grpc-status', status))).toMatchObject({ code: 'UNKNOWN' });
  }
  expect(errorFromTrailers(trailers())).toMatchObject({ code: 'UNKNOWN' });
});

test('what is no gRPC answer has a status nevertheless', () => {
  expect(errorFromHttpStatus(404)).toMatchObject({ code: 'UNIMPLEMENTED', message: 'Received HTTP status code 404' });
  expect(errorFromHttpStatus(503)).toMatchObject({ code: 'UNAVAILABLE' });
  expect(errorFromHttpStatus(418)).toMatchObject({ code: 'UNKNOWN' });
  expect(errorFromReset(errorCodes.REFUSED_STREAM)).toMatchObject({ code: 'UNAVAILABLE' });
  expect(errorFromReset(errorCodes.CANCEL)).toMatchObject({ code: 'CANCELLED' });
  expect(errorFromReset(errorCodes.ENHANCE_YOUR_CALM)).toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
  expect(errorFromReset(77)).toMatchObject({ code: 'INTERNAL' });
});
