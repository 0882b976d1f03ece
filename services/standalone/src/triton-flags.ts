import type { StringFlag } from '@shoal/config';

/**
 * Triton's options that Shoal has no use for, so that a start script for Triton meets a sentence and not a riddle.
 * `ignored`: the server does its work without it, and a warning says why. `refused`: the answers, or who may get them,
 * would differ from what was asked for.
 */
interface TritonFlag {
  readonly names: readonly string[];
  readonly effect: 'ignored' | 'refused';
  readonly reason: string;
}

const tritonOnly: readonly TritonFlag[] = [
  {
    names: ['allow-http', 'http-port', 'http-address', 'reuse-http-port', 'http-thread-count', 'http-max-input-size'],
    effect: 'ignored',
    reason: 'this version serves gRPC only',
  },
  { names: ['metrics-config'], effect: 'ignored', reason: 'there is nothing to choose among the metrics' },
  {
    names: ['cache-config', 'cache-directory', 'response-cache-byte-size'],
    effect: 'ignored',
    reason: 'this version caches no responses',
  },
  {
    names: ['strict-model-config', 'disable-auto-complete-config'],
    effect: 'ignored',
    reason: 'what a config does not say is always read from the model',
  },
  {
    names: [
      'pinned-memory-pool-byte-size',
      'cuda-memory-pool-byte-size',
      'cuda-virtual-address-size',
      'buffer-manager-thread-count',
      'enable-peer-access',
      'grpc-infer-thread-count',
      'grpc-infer-allocation-pool-size',
      'grpc-max-response-pool-size',
      'grpc-infer-response-compression-level',
      'min-supported-compute-capability',
      'model-load-retry-count',
    ],
    effect: 'ignored',
    reason: 'it tunes a part that Shoal does not have',
  },
  {
    names: ['backend-directory', 'repoagent-directory'],
    effect: 'ignored',
    reason: 'ONNX Runtime comes with Shoal, and there are no other backends',
  },
  { names: ['id'], effect: 'ignored', reason: 'the server always calls itself triton' },
  {
    names: ['http-restricted-api'],
    effect: 'ignored',
    reason: 'this version serves gRPC only',
  },
  { names: ['backend-config'], effect: 'refused', reason: 'say it in the config.pbtxt of each model' },
  { names: ['model-namespacing'], effect: 'refused', reason: 'the names of models are unique in this version' },
  { names: ['log-file'], effect: 'refused', reason: 'the log goes to stderr: redirect it (2>FILE)' },
];

/** Tells the options of `tritonOnly` by name; hidden from --help, which has a line for all of them. */
export const tritonFlags: Readonly<Record<string, StringFlag>> = Object.fromEntries(
  tritonOnly.flatMap(({ names, reason }) =>
    names.map((name) => [name, { name, type: 'string', default: '', value: 'VALUE', help: reason }] as const),
  ),
);

/** What was given of them: why each has no effect, and why some cannot be taken. What only switches off is fine. */
export function judgeTritonFlags(values: Readonly<Record<string, unknown>>): {
  readonly warnings: readonly string[];
  readonly refusals: readonly string[];
} {
  const sentences = (effect: TritonFlag['effect']) =>
    tritonOnly
      .filter((flag) => flag.effect === effect)
      .flatMap(({ names, reason }) => names.filter((name) => isOn(values[name])).map((name) => ({ name, reason })));
  return {
    warnings: sentences('ignored').map(({ name, reason }) => `--${name} has no effect: ${reason}`),
    refusals: sentences('refused').map(({ name, reason }) => `--${name} is not supported: ${reason}`),
  };
}

function isOn(value: unknown): boolean {
  return typeof value === 'string' && !['', 'false', 'off', '0'].includes(value.toLowerCase());
}
