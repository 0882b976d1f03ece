import { spawn } from 'node:child_process';
import { ExplainClient } from './explain-client';
import { diabetesRequest } from './explain-requests';
import { cli } from './paths';
import { isAlive } from './processes';
import { slowInputs } from './slow';
import type { StockClient } from './stock-client';
import { eventually, sleep } from './waiting';

/** What an `EventfulLoad` wants to be served. */
export const eventfulModels = {
  simple: {
    append: 'dynamic_batching { }\nversion_policy { all { } }',
    copies: [2],
  },
  diabetes_mlp: {},
  slow_loop: { append: 'dynamic_batching { default_queue_policy { max_queue_size: 2 } }' },
} as const;

export interface EventfulLoadOptions {
  /** Of doors, HOST:PORT. */
  readonly addresses: readonly string[];
  /** Of the first of them. */
  readonly client: StockClient;
  /** Runner processes that may be killed. */
  readonly runners: () => readonly number[];
}

/** Clients that do all that there is a figure of: unary and streamed requests, explanations, canaries, and much that goes wrong. */
export class EventfulLoad {
  readonly #options: EventfulLoadOptions;
  readonly #explain: ExplainClient;
  readonly #over = new AbortController();
  readonly #all: Promise<readonly PromiseSettledResult<unknown>[]>;

  private constructor(options: EventfulLoadOptions, longestMs: number) {
    const { client } = options;
    const [first = '', second = first] = options.addresses;
    this.#options = options;
    this.#explain = new ExplainClient(first);
    const bench = ['bench', '-m', 'simple', '--warmup-interval=500', `--measurement-interval=${longestMs}`];
    const { signal } = this.#over;
    const explain = (method: object, deadlineMs = 20_000) =>
      this.#explain.explain(diabetesRequest(method), { deadlineMs });
    this.#all = Promise.allSettled([
      runShoal([...bench, '-u', first, '--concurrency-range=4', '-b', '2'], signal),
      runShoal([...bench, '-u', second, '--concurrency-range=2', '--streaming'], signal),
      this.#again(200, () => explain({ exact: {} })),
      this.#again(200, () => explain({ kernel_shap: {} })),
      this.#again(500, () => explain({ exact: {} }, 5)),
      this.#again(500, () => client.infer({ model_name: 'nobody' })),
      // Full queues, and late answers.
      ...Array.from({ length: 6 }, () => this.#again(200, () => this.#slow(2000))),
      this.#again(300, () => this.#slow(40)),
    ]);
  }

  /** Begins it, and resolves after about `ms`; it goes on until `end`. */
  static async start(options: EventfulLoadOptions, ms: number): Promise<EventfulLoad> {
    const url = ['--url', options.addresses[0] ?? ''];
    await runShoal(['traffic', 'simple', ...url, '--canary=2', '--percent=50', '--shadow=2']);
    const load = new EventfulLoad(options, ms + 120_000);
    for (const _ of [1, 2, 3]) {
      await sleep(ms / 4);
      for (const pid of options.runners().filter(isAlive)) process.kill(pid, 'SIGKILL');
    }
    await sleep(ms / 4);
    await eventually('it is explained', () => load.#explain.explain(diabetesRequest({ exact: {} })), 30_000);
    return load;
  }

  /** @throws Error when one of the clients ended before it should. */
  async end(): Promise<void> {
    this.#over.abort();
    const ended = await this.#all;
    this.#explain.close();
    const broken = ended.find((one) => one.status === 'rejected' && (one.reason as Error).name !== 'AbortError');
    if (broken?.status === 'rejected') throw broken.reason;
  }

  #slow(deadlineMs: number): Promise<unknown> {
    const inputs = slowInputs(20_000);
    return this.#options.client.infer(
      {
        model_name: 'slow_loop',
        inputs: inputs.map(({ name, datatype, shape }) => ({ name, datatype, shape: [...shape] })),
        raw_input_contents: inputs.map(({ bytes }) => bytes),
      },
      { deadlineMs },
    );
  }

  /** Acts until the end, whatever comes of it. */
  async #again(pauseMs: number, act: () => Promise<unknown>): Promise<void> {
    while (!this.#over.signal.aborted) {
      await act().catch(() => undefined);
      await sleep(pauseMs);
    }
  }
}

/** Runs `shoal`. @throws Error unless it ends well: an AbortError when `signal` ended it. */
function runShoal(args: readonly string[], signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stdio = ['ignore', 'ignore', 'pipe'] as const;
    const child = spawn(process.execPath, [cli, ...args], { stdio: [...stdio], ...(signal && { signal }) });
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
    child.once('error', reject);
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`shoal ${args.join(' ')}: ${said}`))));
  });
}
