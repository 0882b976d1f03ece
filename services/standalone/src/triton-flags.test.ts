import { serveFlags } from './flags';
import { judgeTritonFlags, tritonFlags } from './triton-flags';

test('no option is both Shoal’s and unknown to it', () => {
  const ours = new Set(Object.values(serveFlags).map((flag): string => flag.name));
  expect(Object.keys(tritonFlags).filter((name) => ours.has(name))).toEqual([]);
});

test('what tunes is warned of, what would change who may call is refused, what switches off is fine', () => {
  expect(judgeTritonFlags({ 'http-port': '8000', 'allow-metrics': 'false', grpcPort: 8001 })).toEqual({
    warnings: ['--http-port has no effect: this version serves gRPC only'],
    refusals: [],
  });
  expect(judgeTritonFlags({ 'log-file': '/var/log/x', 'model-namespacing': '0' })).toEqual({
    warnings: [],
    refusals: ['--log-file is not supported: the log goes to stderr: redirect it (2>FILE)'],
  });
  expect(judgeTritonFlags({})).toEqual({ warnings: [], refusals: [] });
});
