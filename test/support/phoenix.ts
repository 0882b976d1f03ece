import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from './nats';
import { eventually } from './waiting';

/** A span as Phoenix's REST API tells of it. */
export interface StoredSpan {
  readonly name: string;
  readonly context: { readonly trace_id: string; readonly span_id: string };
  readonly parent_id: string | null;
  readonly start_time: string;
  readonly end_time: string;
  readonly status_code: string;
  /** By key. */
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly events: readonly { readonly name: string; readonly timestamp: string }[];
}

/** A real store of traces on 127.0.0.1 (PyPI's arize-phoenix), with a database that goes when it is closed. */
export class Phoenix {
  /** Of its pages and its API. */
  readonly url: string;
  /** HOST:PORT that takes OTLP over gRPC. */
  readonly otlp: string;
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(child: ChildProcess, folder: string, http: number, grpc: number) {
    this.#child = child;
    this.#folder = folder;
    this.url = `http://127.0.0.1:${http}`;
    this.otlp = `127.0.0.1:${grpc}`;
  }

  /** Undefined where there is none: $PHOENIX is the program. */
  static async start(): Promise<Phoenix | undefined> {
    const program = process.env['PHOENIX'];
    if (program === undefined || !existsSync(program)) return undefined;
    const [http, grpc] = [await freePort(), await freePort()];
    const folder = mkdtempSync(path.join(tmpdir(), 'shoal-phoenix-'));
    const env = {
      ...process.env,
      PHOENIX_HOST: '127.0.0.1',
      PHOENIX_PORT: String(http),
      PHOENIX_GRPC_PORT: String(grpc),
      PHOENIX_WORKING_DIR: folder,
      PHOENIX_TELEMETRY_ENABLED: 'false',
      PHOENIX_ALLOW_EXTERNAL_RESOURCES: 'false',
    };
    const child = spawn(program, ['serve'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let log = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => (log = (log + chunk).slice(-4000)));
    }
    const phoenix = new Phoenix(child, folder, http, grpc);
    const answers = async () => {
      if (child.exitCode !== null) throw new Error(log);
      return (await fetch(`${phoenix.url}/v1/projects`)).ok;
    };
    await eventually('Phoenix answers', answers, 180_000);
    return phoenix;
  }

  /** All spans that it has. */
  async spans(): Promise<StoredSpan[]> {
    const spans: StoredSpan[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const response = await fetch(`${this.url}/v1/projects/default/spans?limit=1000&cursor=${cursor}`);
      if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
      const page = (await response.json()) as { data: StoredSpan[]; next_cursor: string | null };
      spans.push(...page.data);
      cursor = page.next_cursor;
    }
    return spans;
  }

  /** The page that shows a trace. */
  async page(traceId: string): Promise<string> {
    const { data } = (await (await fetch(`${this.url}/v1/projects`)).json()) as {
      data: { id: string; name: string }[];
    };
    const project = data.find(({ name }) => name === 'default');
    return `${this.url}/projects/${project?.id}/traces/${traceId}`;
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    if (this.#child.exitCode === null && this.#child.kill('SIGKILL')) await ended;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
