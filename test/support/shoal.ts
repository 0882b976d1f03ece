import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cli, root } from './paths';
import { childrenOf, isAlive } from './processes';
import { type Scrape, scrape, servesMetrics } from './metrics';
import { RawClient } from './raw-client';
import { TemporaryRepository, type ModelSource } from './repository';
import { StockClient } from './stock-client';
import { eventually, within } from './waiting';

export interface StartOptions {
  readonly models?: Readonly<Record<string, ModelSource>>;
  /** Instead of `models`: a repository that the caller owns. */
  readonly repository?: TemporaryRepository;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** How long until it accepts calls; a loaded machine starts thirty runners slowly. */
  readonly startMs?: number;
  /** Checks the repository's folder does not show in what it prints for people; it is named once at start. */
  readonly cwd?: string;
}

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The real standalone process, on a free port, with a stock and a raw client. */
export class Shoal {
  readonly address: string;
  readonly repository: TemporaryRepository;
  readonly client: StockClient;
  readonly raw: RawClient;
  readonly pid: number;
  readonly exited: Promise<Exit>;
  readonly #output: Output;
  readonly #ownsRepository: boolean;
  readonly #process: ChildProcess;

  constructor(started: Started, repository: TemporaryRepository, ownsRepository: boolean) {
    this.#process = started.process;
    this.#output = started.output;
    this.#ownsRepository = ownsRepository;
    this.address = started.address;
    this.exited = started.exited;
    this.pid = started.process.pid ?? 0;
    this.repository = repository;
    this.client = new StockClient(this.address);
    this.raw = new RawClient(this.address);
  }

  /** All that it printed on stdout and stderr so far. */
  get output(): string {
    return this.#output.text;
  }

  /** What it says of itself now. */
  metrics(): Promise<Scrape> {
    const [, url = ''] = servesMetrics.exec(this.output) ?? [];
    return scrape(url);
  }

  /** Pids of its runner processes. */
  runners(): number[] {
    return childrenOf(this.pid).filter(isAlive);
  }

  signal(name: NodeJS.Signals): void {
    this.#process.kill(name);
  }

  /** Ends it as an operator would; fails unless it exits with 0 in time and leaves no runner behind. */
  async stop(timeoutMs = 30_000): Promise<void> {
    const runners = this.runners();
    this.signal('SIGTERM');
    await this.ended(runners, timeoutMs);
  }

  /** Fails unless it exits with 0 within `timeoutMs` and none of `runners` outlives it. */
  async ended(runners: readonly number[], timeoutMs = 30_000): Promise<void> {
    this.client.close();
    this.raw.close();
    try {
      const exit = await within('its end after SIGTERM', this.exited, timeoutMs);
      if (exit.code !== 0) throw new Error(`it ended with ${JSON.stringify(exit)}`);
      await eventually('no runner outlives the server', () => !runners.some(isAlive), 5000);
    } catch (thrown) {
      for (const pid of runners.filter(isAlive)) process.kill(pid, 'SIGKILL');
      if (isAlive(this.pid)) this.signal('SIGKILL');
      throw new Error(`${String(thrown)}; its output:\n${this.#output.tail()}`, { cause: thrown });
    } finally {
      if (this.#ownsRepository) this.repository.delete();
    }
  }
}

/** Starts the standalone process and resolves once it says that it accepts calls. */
export async function startShoal(options: StartOptions): Promise<Shoal> {
  if (!existsSync(cli)) throw new Error('the services are not built: npm run build');
  const repository = options.repository ?? new TemporaryRepository(options.models ?? {});
  try {
    return new Shoal(await spawnShoal(repository.folder, options), repository, options.repository === undefined);
  } catch (thrown) {
    if (options.repository === undefined) repository.delete();
    throw thrown;
  }
}

interface Started {
  readonly process: ChildProcess;
  readonly address: string;
  readonly exited: Promise<Exit>;
  readonly output: Output;
}

async function spawnShoal(
  folder: string,
  { args = [], env = {}, startMs = 60_000, cwd = root }: StartOptions,
): Promise<Started> {
  const argv = [cli, 'serve', '--model-repository', folder, '--grpc-port', '0', '--metrics-port', '0', ...args];
  const child = spawn(process.execPath, argv, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = new Output(child);
  const exited = new Promise<Exit>((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
  const early = exited.then((exit) => Promise.reject(new Error(`it ended with ${JSON.stringify(exit)}`)));
  try {
    const line = output.waitFor(/Started GRPCInferenceService at (\S+)/);
    const [, address = ''] = await within('the start of the server', Promise.race([line, early]), startMs);
    early.catch(() => undefined);
    return { process: child, address, exited, output };
  } catch (thrown) {
    for (const pid of childrenOf(child.pid ?? 0)) process.kill(pid, 'SIGKILL');
    child.kill('SIGKILL');
    throw new Error(`the server did not start: ${String(thrown)}; its output:\n${output.tail()}`, { cause: thrown });
  }
}

/** What a process prints, for searching and for failure messages. */
class Output {
  text = '';
  readonly #waiting: { pattern: RegExp; resolve(found: RegExpExecArray): void }[] = [];

  constructor(child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8');
      stream?.on('data', (chunk: string) => {
        this.text += chunk;
        for (const waiting of this.#waiting) {
          const found = waiting.pattern.exec(this.text);
          if (found) waiting.resolve(found);
        }
      });
    }
  }

  waitFor(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve) => this.#waiting.push({ pattern, resolve }));
  }

  tail(): string {
    return this.text.slice(-8000);
  }
}
