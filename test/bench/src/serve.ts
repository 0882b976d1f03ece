import { fork } from 'node:child_process';
import path from 'node:path';
import { cpuMs } from './processes';
import type { ServerUnderTest } from './server';
import type { LoadResult, Workload } from './workload';

/** One measured cell of the table. */
export interface Row {
  readonly server: string;
  readonly tensor: string;
  readonly call: string;
  readonly concurrency: number;
  /** Requests a second; for the limit, rows a second. */
  readonly rate: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  /** CPU microseconds of the server and its runners per request. */
  readonly serverCpuUs: number;
  /** CPU microseconds of the load generator per request. */
  readonly clientCpuUs: number;
  /** Mean rows per execution. */
  readonly batch: number;
  readonly errors: number;
}

/** Drives one workload from a generator process, reading the server's CPU and counters around the measured window. */
export async function measure(server: ServerUnderTest, workload: Workload, seconds: number): Promise<Row> {
  let cpuBegin = 0;
  let cpuEnd = 0;
  const before = await server.counts();
  const result = await inChild('load', [server.target, workload, seconds], (kind) => {
    if (kind === 'begin') cpuBegin = cpuMs(server.pid);
    else cpuEnd = cpuMs(server.pid);
  });
  const after = await server.counts();
  return {
    server: 'shoal',
    tensor: workload.tensor,
    call: workload.call,
    concurrency: workload.concurrency,
    ...figures(result),
    serverCpuUs: ((cpuEnd - cpuBegin) * 1000) / result.requests,
    clientCpuUs: (result.cpuMs * 1000) / result.requests,
    batch: (after.rows - before.rows) / (after.executions - before.executions),
  };
}

/** The same tensors through onnxruntime-node alone, in batches of `rows`. */
export async function measureLimit(
  modelFile: string,
  tensor: string,
  elements: number,
  rows: number,
  seconds: number,
): Promise<Row> {
  const result = await inChild('limit', [modelFile, elements, rows, seconds]);
  return {
    server: 'onnxruntime',
    tensor,
    call: 'in process',
    concurrency: 1,
    ...figures(result),
    serverCpuUs: (result.cpuMs * 1000) / result.requests,
    clientCpuUs: 0,
    batch: rows,
  };
}

function figures(result: LoadResult) {
  const { p50, p95, p99, errors } = result;
  return { rate: result.requests / result.seconds, p50, p95, p99, errors };
}

function inChild(script: string, argument: unknown, progress?: (kind: string) => void): Promise<LoadResult> {
  return new Promise((resolve, reject) => {
    const child = fork(path.join(__dirname, `${script}.js`), [JSON.stringify(argument)], {
      env: { ORT_DISABLE_TELEMETRY: '1', ...process.env },
    });
    child.on('message', (message: { kind: string; result?: LoadResult }) => {
      if (message.result) resolve(message.result);
      else progress?.(message.kind);
    });
    child.once('exit', (code) => reject(new Error(`${script} ended with ${code} without a result`)));
  });
}
