import { runnerEnv } from './runner-env';

test('only what native libraries need gets through', () => {
  const env = {
    PATH: '/bin',
    CUDA_VISIBLE_DEVICES: '0',
    AWS_SECRET_ACCESS_KEY: 'x',
    SHOAL_TOKEN: 'y',
    NODE_OPTIONS: '-r z',
  };
  expect(runnerEnv(env)).toEqual({ PATH: '/bin', CUDA_VISIBLE_DEVICES: '0' });
});
