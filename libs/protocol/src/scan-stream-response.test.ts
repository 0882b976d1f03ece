import { scanStreamResponse } from './scan-stream-response';
import { streamError, wrapStreamResponse } from './stream-response';

test('answers and errors are told apart', () => {
  const answer = Buffer.from('0a016d', 'hex');
  expect(scanStreamResponse(wrapStreamResponse(answer))).toEqual({ error: '', response: answer });
  expect(scanStreamResponse(streamError({ message: 'no', id: 'a' })).error).toBe('no');
  expect(() => scanStreamResponse(Buffer.of(0x12, 9, 1))).toThrow('ModelStreamInferResponse');
});
