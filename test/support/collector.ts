import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from './nats';
import { type OtlpReceiver, startOtlpReceiver } from './otlp/receiver';
import { root } from './paths';
import { eventually } from './waiting';

/** infra/otel/collector.yaml, by whom it is read: a real collector on 127.0.0.1, with receivers of ours as Jaeger and Prometheus. */
export class Collector {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly endpoint: string;
  /** HOST:PORT of its own metrics. */
  readonly metrics: string;
  /** What it gave on. */
  readonly jaeger: OtlpReceiver;
  readonly prometheus: OtlpReceiver;
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(
    child: ChildProcess,
    folder: string,
    ports: { readonly http: number; readonly metrics: number },
    jaeger: OtlpReceiver,
    prometheus: OtlpReceiver,
  ) {
    this.#child = child;
    this.#folder = folder;
    this.endpoint = `http://127.0.0.1:${ports.http}`;
    this.metrics = `127.0.0.1:${ports.metrics}`;
    this.jaeger = jaeger;
    this.prometheus = prometheus;
  }

  /**
   * Undefined where there is none: $OTELCOL, or what infra/otel/validate.sh built.
   * @param store HOST:PORT of who takes traces in the place of `jaeger`, by OTLP over gRPC.
   */
  static async start(store?: string): Promise<Collector | undefined> {
    const program = process.env['OTELCOL'] ?? path.join(root, '.tools/otelcol/otelcol');
    if (!existsSync(program)) return undefined;
    const jaeger = await startOtlpReceiver({ protocol: 'grpc' });
    const prometheus = await startOtlpReceiver({ protocol: 'http' });
    const ports = {
      grpc: await freePort(),
      http: await freePort(),
      health: await freePort(),
      metrics: await freePort(),
    };
    const replaced: readonly (readonly [string, string])[] = [
      ['0.0.0.0:4317', `127.0.0.1:${ports.grpc}`],
      ['0.0.0.0:4318', `127.0.0.1:${ports.http}`],
      ['0.0.0.0:13133', `127.0.0.1:${ports.health}`],
      ['host: 0.0.0.0\n', 'host: 127.0.0.1\n'],
      ['port: 8888\n', `port: ${ports.metrics}\n`],
      ['jaeger:4317', store ?? `localhost:${jaeger.port}`],
      ['http://prometheus:9090/api/v1/otlp', prometheus.endpoint],
      ['metrics_flush_interval: 15s', 'metrics_flush_interval: 1s'],
    ];
    let text = readFileSync(path.join(root, 'infra/otel/collector.yaml'), 'utf8');
    for (const [ours, here] of replaced) {
      if (!text.includes(ours)) throw new Error(`collector.yaml does not hold ${ours}`);
      text = text.replace(ours, here);
    }
    const folder = mkdtempSync(path.join(tmpdir(), 'shoal-collector-'));
    const file = path.join(folder, 'collector.yaml');
    writeFileSync(file, text);
    const child = spawn(program, ['--config', file], { stdio: ['ignore', 'ignore', 'pipe'] });
    let log = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (log += chunk));
    await eventually('the collector is healthy', async () => {
      if (child.exitCode !== null) throw new Error(log.slice(-2000));
      return (await fetch(`http://127.0.0.1:${ports.health}/`)).ok;
    });
    return new Collector(child, folder, ports, jaeger, prometheus);
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    if (this.#child.exitCode === null && this.#child.kill('SIGTERM')) await ended;
    await Promise.all([this.jaeger.close(), this.prometheus.close()]);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
