import { scanStreamResponse } from './scan-stream-response';
import { streamError, wrapStreamResponse } from './stream-response';

test('answers and errors are told apart', () => {
  const answer = Buffer.from('0a016d', 'hex');
  const { error, response } = scanStreamResponse(wrapStreamResponse(answer));
  expect([error, response?.toString('hex', 0, answer.length)]).toEqual(['', '0a016d']);
  expect(scanStreamResponse(streamError({ message: 'no', id: 'a' })).error).toBe('no');
  expect(() => scanStreamResponse(Buffer.of(0x12, 9, 1))).toThrow('ModelStreamInferResponse');
});
