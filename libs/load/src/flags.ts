import type { ConfigOf, FlagTable } from '@shoal/config';
import { grpcCarriers } from '@shoal/rpc';
import { credentialFlags } from './credentials';

/** What is loaded. Names are perf_analyzer's where the meaning is the same. */
export const targetFlags = {
  modelName: {
    name: 'model-name',
    type: 'string',
    default: '',
    value: 'NAME',
    help: 'The model to send requests to. Short: -m.',
  },
  modelVersion: {
    name: 'model-version',
    type: 'string',
    default: '',
    value: 'VERSION',
    help: 'Its version; without one the server takes the newest. Short: -x.',
  },
  url: {
    name: 'url',
    type: 'string',
    default: '127.0.0.1:8001',
    value: 'HOST:PORT',
    help: 'The server: anything that speaks the V2 gRPC protocol (Shoal, Triton, KServe, …), or unix:PATH. Short: -u.',
  },
  ...credentialFlags,
  protocol: {
    name: 'protocol',
    type: 'string',
    default: 'grpc',
    choices: ['grpc'],
    value: 'PROTOCOL',
    help: 'Only gRPC; here so that command lines of perf_analyzer work. Short: -i.',
  },
  carrier: {
    name: 'carrier',
    type: 'string',
    default: 'native',
    choices: grpcCarriers,
    value: 'CARRIER',
    help: 'What carries the generator’s own gRPC: native is much the lighter one.',
  },
  connections: {
    name: 'connections',
    type: 'integer',
    default: 1,
    min: 1,
    max: 1024,
    value: 'N',
    help: 'TCP connections over which the requests are spread.',
  },
  streaming: {
    name: 'streaming',
    type: 'boolean',
    default: false,
    value: 'BOOL',
    help: 'Sends requests as messages of ModelStreamInfer instead of unary ModelInfer calls.',
  },
  streams: {
    name: 'streams',
    type: 'integer',
    default: 0,
    min: 0,
    max: 10_000,
    value: 'N',
    help: 'With --streaming: the number of streams over which requests are spread; 0 = one a connection.',
  },
  serverPid: {
    name: 'server-pid',
    type: 'integer',
    default: 0,
    min: 0,
    max: 4_194_304,
    value: 'PID',
    help: 'A server on this machine, whose CPU time is then shown per request, by process of its tree (Linux). 0 = none.',
  },
} as const satisfies FlagTable;

/** How hard, and how long. */
export const loadFlags = {
  concurrencyRange: {
    name: 'concurrency-range',
    type: 'string',
    default: '1',
    value: 'RANGE',
    help: 'Closed loop: so many requests are kept in flight. START, START:END:STEP (end included) or A,B,C: one level after the other.',
  },
  requestRateRange: {
    name: 'request-rate-range',
    type: 'string',
    default: '',
    value: 'RANGE',
    help: 'Open loop instead: so many requests a second are sent, whether or not earlier ones are answered, and latency counts from when each was due. Same forms.',
  },
  requestDistribution: {
    name: 'request-distribution',
    type: 'string',
    default: 'constant',
    choices: ['constant', 'poisson'],
    value: 'KIND',
    help: 'Gaps between the requests of an open loop: all the same, or exponential as with independent users.',
  },
  maxInFlight: {
    name: 'max-in-flight',
    type: 'integer',
    default: 4096,
    min: 1,
    max: 1_000_000,
    value: 'N',
    help: 'Most requests that an open loop leaves unanswered; then due ones wait, and count as late.',
  },
  measurementInterval: {
    name: 'measurement-interval',
    type: 'integer',
    default: 5000,
    min: 1,
    max: 86_400_000,
    value: 'MS',
    help: 'Length of the measured window of a level. Short: -p.',
  },
  warmupInterval: {
    name: 'warmup-interval',
    type: 'integer',
    default: 1000,
    min: 0,
    max: 3_600_000,
    value: 'MS',
    help: 'How long each level runs before it is measured.',
  },
  requestTimeout: {
    name: 'request-timeout',
    type: 'integer',
    default: 0,
    min: 0,
    max: 86_400_000,
    value: 'MS',
    help: 'Deadline of each unary call; 0 = none.',
  },
} as const satisfies FlagTable;

/** What the requests hold. */
export const dataFlags = {
  batchSize: {
    name: 'batch-size',
    type: 'integer',
    default: 1,
    min: 1,
    max: 1_000_000,
    value: 'N',
    help: 'Rows of one request, for models that batch. Short: -b.',
  },
  shape: {
    name: 'shape',
    type: 'strings',
    default: [],
    value: 'NAME:D1,D2,…',
    help: 'The size of an input, without the batch dimension, where the model leaves it open.',
  },
  inputData: {
    name: 'input-data',
    type: 'string',
    default: 'random',
    value: 'random|zero|PATH',
    help: 'Contents of the inputs: made up; or from a JSON file, { "data": [ { "INPUT0": [1, 2] }, … ] } with one entry a request; or from a folder with each input’s raw bytes in a file of its name.',
  },
  seed: {
    name: 'seed',
    type: 'integer',
    default: 1,
    min: 0,
    max: 2 ** 32 - 1,
    value: 'N',
    help: 'Seed of random contents and of Poisson gaps.',
  },
  background: {
    name: 'background',
    type: 'boolean',
    default: false,
    value: 'BOOL',
    help: 'Sends requests that give way to all others (the request parameter shoal.background), as explanations do.',
  },
  requestIds: {
    name: 'request-ids',
    type: 'boolean',
    default: false,
    value: 'BOOL',
    help: 'Gives each request an id of its own, which costs a copy of it.',
  },
  sharedMemory: {
    name: 'shared-memory',
    type: 'string',
    default: 'none',
    choices: ['none', 'system'],
    value: 'KIND',
    help: 'system: inputs and outputs lie in /dev/shm, for a server on this machine that allows it.',
  },
} as const satisfies FlagTable;

/** What is shown. */
export const outputFlags = {
  format: {
    name: 'format',
    type: 'string',
    default: 'table',
    choices: ['table', 'json', 'csv'],
    value: 'FORMAT',
    help: 'How results are written to stdout. Times: milliseconds in the table and in json, microseconds in csv as perf_analyzer. Short: -f.',
  },
  percentile: {
    name: 'percentile',
    type: 'number',
    default: 0,
    min: 0,
    max: 100,
    value: 'P',
    help: 'A further percentile of latency to show, such as 99.9. 0 = none.',
  },
  progress: {
    name: 'progress',
    type: 'boolean',
    default: true,
    value: 'BOOL',
    help: 'A line on stderr, where that is a terminal, that says how far it is.',
  },
} as const satisfies FlagTable;

/** Everything `shoal bench` can be told. */
export const benchFlags = { ...targetFlags, ...loadFlags, ...dataFlags, ...outputFlags } as const;

export type BenchConfig = ConfigOf<typeof benchFlags>;

const shortNames: Readonly<Record<string, string>> = {
  '-m': '--model-name',
  '-x': '--model-version',
  '-u': '--url',
  '-i': '--protocol',
  '-p': '--measurement-interval',
  '-b': '--batch-size',
  '-f': '--format',
};

/** The arguments with perf_analyzer's short names written out; `-i GRPC` is `--protocol grpc`. */
export function longArguments(argv: readonly string[]): string[] {
  return argv.map((argument, i) => {
    if (argv[i - 1] === '-i') return argument.toLowerCase();
    return Object.hasOwn(shortNames, argument) ? (shortNames[argument] as string) : argument;
  });
}
