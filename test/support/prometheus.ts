import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { freePort } from './nats';
import { eventually } from './waiting';

/** A series of an instant query's answer: its labels, and time and value. */
export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [time: number, value: string];
}

/** An exemplar: a measured value, and of which trace. */
export interface Exemplar {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: string;
}

/** A real Prometheus on 127.0.0.1, with a database that goes when it is closed. */
export class Prometheus {
  readonly port: number;
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'shoal-prometheus-'));
  readonly #child: ChildProcess;
  #log = '';

  private constructor(program: string, config: object, port: number) {
    this.port = port;
    const file = path.join(this.#folder, 'prometheus.yml');
    writeFileSync(file, stringify(config));
    this.#child = spawn(
      program,
      [
        `--config.file=${file}`,
        `--storage.tsdb.path=${path.join(this.#folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--enable-feature=exemplar-storage',
        '--log.level=warn',
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    this.#child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (this.#log += chunk));
  }

  /** Undefined where there is none (Debian's package prometheus has it). @param config Of prometheus.yml. */
  static async start(config: object): Promise<Prometheus | undefined> {
    const program = process.env['PROMETHEUS'] ?? 'prometheus';
    if (spawnSync(program, ['--version']).status !== 0) return undefined;
    const started = new Prometheus(program, config, await freePort());
    await eventually('Prometheus is ready', async () => {
      if (started.#child.exitCode !== null) throw new Error(started.#log.slice(-2000));
      return (await fetch(`http://127.0.0.1:${started.port}/-/ready`)).ok;
    });
    return started;
  }

  /** The answer of now. @throws Error with what Prometheus says of an expression that it does not understand. */
  query(expr: string): Promise<readonly Series[]> {
    return this.#get<{ result: Series[] }>('query', { query: expr }).then(({ result }) => result);
  }

  /** Exemplars of the last ten minutes. */
  async exemplars(expr: string): Promise<Exemplar[]> {
    const now = Date.now() / 1000;
    const found = await this.#get<{ exemplars: Exemplar[] }[]>('query_exemplars', {
      query: expr,
      start: String(now - 600),
      end: String(now + 1),
    });
    return found.flatMap(({ exemplars }) => exemplars);
  }

  /** What it scrapes, by address: whether that worked. */
  async targets(): Promise<Map<string, { readonly up: boolean; readonly error: string }>> {
    const { activeTargets } = await this.#get<{
      activeTargets: { scrapeUrl: string; health: string; lastError: string }[];
    }>('targets', { state: 'active' });
    return new Map(
      activeTargets.map(({ scrapeUrl, health, lastError }) => [scrapeUrl, { up: health === 'up', error: lastError }]),
    );
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    if (this.#child.exitCode === null && this.#child.kill('SIGTERM')) await ended;
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #get<T>(api: string, parameters: Record<string, string>): Promise<T> {
    const answer = await fetch(`http://127.0.0.1:${this.port}/api/v1/${api}`, {
      method: api === 'targets' ? 'GET' : 'POST',
      ...(api !== 'targets' && { body: new URLSearchParams(parameters) }),
    });
    const { status, data, error } = (await answer.json()) as { status: string; data: T; error?: string };
    if (status !== 'success') throw new Error(error ?? status);
    return data;
  }
}
