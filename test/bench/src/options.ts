import { parseArgs } from 'node:util';
import type { Effort } from './table';

export const usage = `Usage: npm run bench -- [TABLE] [options] [-- flags of shoal serve]

Tables, each measured in one run, its cells interleaved round after round, the median round shown:
  serve   the whole of Shoal, by model and requests in flight (default)
  wire    gRPC alone: our carriers, node:http2 and grpc-go
  limit   ONNX Runtime alone
  peers   Shoal and other servers under the same load
  check   shoal bench against ghz
  cluster the services as processes of a cluster: against one process, and with 1 to 4 runners
  scheduler  the scheduler alone: requests settled a second on one core
  simulate   predictions of shoal simulate against real loads
  explain explanations: rows a second against plain inference; then the two that follow
  explain-shap   the same explanation by Python's shap (BENCH_PYTHON names a python that has it)
  explain-error  errors of the methods as evaluations grow
  explain-memory what the server keeps after 2,000 and after 20,000 evaluations of one explanation
  telemetry  CPU a request by what the server tells of itself: nothing, metrics, 0 %, 1 % and 100 % of requests traced
  flood   what explanations do to the latency of plain inference

  --seconds N        measured per cell and round (default 3)
  --warmup N         seconds before that (default 1.5)
  --rounds N         (default 3)
  --only TEXT        only cells whose name, as in the table, contains TEXT
  --carrier NAME     the client's gRPC carrier: native (default) or grpc-js
  --peer NAME=URL    peers: HOST:PORT of a V2 gRPC server, or the http://… that takes POSTs for the MLP; repeatable
  --start NAME=CMD   peers: starts it first, with BENCH_MODELS naming the folder with the models; repeatable
  --pid NAME=PID     peers: the process of a server that runs already, for its CPU; repeatable
  --body NAME=FILE   peers: what is posted to an http:// peer; repeatable
  --help             this text

Writes test/bench/results/TABLE.json and TABLE.md. docs/benchmarks.md says how to read them.
`;

const tables = [
  'serve',
  'wire',
  'limit',
  'peers',
  'check',
  'cluster',
  'scheduler',
  'simulate',
  'explain',
  'explain-shap',
  'explain-error',
  'explain-memory',
  'flood',
  'telemetry',
];

export interface BenchOptions {
  readonly table: string;
  readonly effort: Effort;
  readonly carrier: string;
  readonly peers: ReadonlyMap<string, string>;
  readonly starts: ReadonlyMap<string, string>;
  readonly pids: ReadonlyMap<string, string>;
  readonly bodies: ReadonlyMap<string, string>;
  /** For `shoal serve`. */
  readonly serverFlags: readonly string[];
  /** For `shoal bench`. */
  readonly benchFlags: readonly string[];
}

/** Undefined when help is asked for. @throws Error that says what is wrong. */
export function parseOptions(argv: readonly string[]): BenchOptions | undefined {
  const cut = argv.indexOf('--');
  const own = cut < 0 ? argv : argv.slice(0, cut);
  const { values, positionals } = parseArgs({
    args: [...own],
    allowPositionals: true,
    options: {
      seconds: { type: 'string' },
      warmup: { type: 'string' },
      rounds: { type: 'string' },
      only: { type: 'string' },
      carrier: { type: 'string' },
      peer: { type: 'string', multiple: true },
      start: { type: 'string', multiple: true },
      pid: { type: 'string', multiple: true },
      body: { type: 'string', multiple: true },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return undefined;
  const [table = 'serve', ...others] = positionals;
  if (!tables.includes(table)) throw new Error(`there is no table ${table}: ${tables.join(', ')}`);
  if (others.length > 0) throw new Error(`one table at a time, not also ${others.join(' ')}`);
  return {
    table,
    effort: {
      seconds: positive('seconds', values.seconds ?? '3'),
      warmupSeconds: positive('warmup', values.warmup ?? '1.5'),
      rounds: positive('rounds', values.rounds ?? '3'),
      only: values.only ?? '',
    },
    carrier: values.carrier ?? '',
    peers: pairs('peer', values.peer),
    starts: pairs('start', values.start),
    pids: pairs('pid', values.pid),
    bodies: pairs('body', values.body),
    serverFlags: cut < 0 ? [] : argv.slice(cut + 1),
    benchFlags: values.carrier === undefined ? [] : ['--carrier', values.carrier],
  };
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value <= 0)
    throw new Error(`--${name}=${text}: a number above 0`);
  return value;
}

function pairs(name: string, texts: readonly string[] = []): Map<string, string> {
  return new Map(
    texts.map((text) => {
      const at = text.indexOf('=');
      if (at < 1) throw new Error(`--${name}=${text}: expected NAME=VALUE`);
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}
