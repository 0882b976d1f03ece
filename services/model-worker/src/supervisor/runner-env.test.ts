import { runnerEnv } from './runner-env';

test('only what native libraries need gets through', () => {
  const env = {
    PATH: '/bin',
    CUDA_VISIBLE_DEVICES: '0',
    AWS_SECRET_ACCESS_KEY: 'x',
    SHOAL_TOKEN: 'y',
    NODE_OPTIONS: '-r z',
  };
  expect(runnerEnv(env)).toEqual({ PATH: '/bin', CUDA_VISIBLE_DEVICES: '0', ORT_DISABLE_TELEMETRY: '1' });
});

test('ONNX Runtime reports to nobody, unless the operator wants it', () => {
  expect(runnerEnv({})).toEqual({ ORT_DISABLE_TELEMETRY: '1' });
  expect(runnerEnv({ ORT_DISABLE_TELEMETRY: '0' })).toEqual({ ORT_DISABLE_TELEMETRY: '0' });
});
