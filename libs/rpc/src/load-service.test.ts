import { loadService } from './load-service';
import { serverCodec } from './method';

const triton = loadService('inference/grpc_service.proto', 'inference.GRPCInferenceService');

function decode(method: string, bytes: Uint8Array): unknown {
  return serverCodec(triton[method] as never, { passthrough: false, large: false }).decode(Buffer.from(bytes));
}

test('requests are decoded with their defaults', () => {
  expect(decode('ModelReady', Uint8Array.of(0x0a, 1, 65))).toEqual({ name: 'A', version: '' });
  expect(decode('ModelReady', Uint8Array.of())).toEqual({ name: '', version: '' });
});

test.each([
  ['a name that is cut', 'ModelReady', [0x0a, 5, 65]],
  ['a name that is missing', 'SystemSharedMemoryUnregister', [0x0a, 5]],
  ['a length of 4 GiB', 'ModelReady', [0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f, 65]],
  ['a cut number', 'RepositoryIndex', [0x10, 0x80]],
  ['field number 0', 'ModelReady', [0x02, 0]],
  ['an entry of a map without a value', 'TraceSetting', [0x0a, 3, 0x0a, 1, 65]],
  ['65,537 fields', 'LogSettings', Array<number[]>(65_537).fill([0x0a, 0]).flat()],
])('%s is refused', (_name, method, bytes) => {
  const wanted = {
    code: 'INVALID_ARGUMENT',
    message: expect.stringMatching(/cannot be decoded: (?!Cannot)/) as string,
  };
  expect(() => decode(method, Uint8Array.from(bytes))).toThrow(expect.objectContaining(wanted));
});
