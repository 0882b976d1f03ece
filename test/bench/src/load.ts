import type * as grpc from '@grpc/grpc-js';
import { connect, inferRequest } from './client';
import { type LoadResult, type Workload, percentile } from './workload';

/*
 * A closed-loop load generator in a process of its own: started with (target, workload, seconds) as JSON, it keeps
 * `concurrency` requests in flight and tells its parent what it saw.
 */

const identity = (bytes: Buffer) => bytes;
const unaryPath = '/inference.GRPCInferenceService/ModelInfer';
const streamPath = '/inference.GRPCInferenceService/ModelStreamInfer';

/** Sends one request; calls back when its answer is whole. */
type SendOne = (answered: (error: boolean) => void) => void;

function unarySender(client: grpc.Client, request: Buffer): SendOne {
  return (answered) =>
    client.makeUnaryRequest(unaryPath, identity, identity, request, (error) => answered(error !== null));
}

/** One stream; its answers come in the order of its requests. A broken stream would answer nothing: it ends the run. */
function streamSender(client: grpc.Client, request: Buffer): SendOne {
  const stream = client.makeBidiStreamRequest(streamPath, identity, identity);
  const waiting: ((error: boolean) => void)[] = [];
  stream.on('data', (response: Buffer) => waiting.shift()?.(isStreamError(response)));
  stream.on('error', (error) => {
    throw error;
  });
  return (answered) => {
    waiting.push(answered);
    stream.write(request);
  };
}

/** ModelStreamInferResponse.error_message is field 1, and our server writes it first. */
function isStreamError(response: Buffer): boolean {
  return response[0] === 0x0a;
}

async function run(target: string, workload: Workload, seconds: number): Promise<LoadResult> {
  const client = connect(target);
  const request = inferRequest(workload.model, workload.elements);
  const sendOne = workload.call === 'unary' ? unarySender(client, request) : streamSender(client, request);
  const latencies: number[] = [];
  let errors = 0;
  let counting = false;
  let open = true;
  let inFlight = 0;
  const idle = new Promise<void>((resolve) => {
    const next = () => {
      const sent = performance.now();
      inFlight++;
      sendOne((error) => {
        inFlight--;
        if (counting) {
          latencies.push(performance.now() - sent);
          if (error) errors++;
        }
        if (open) next();
        else if (inFlight === 0) resolve();
      });
    };
    for (let i = 0; i < workload.concurrency; i++) next();
  });
  const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  await wait(Math.min(1000, seconds * 300));
  const before = process.cpuUsage();
  const began = performance.now();
  process.send?.({ kind: 'begin' });
  counting = true;
  await wait(seconds * 1000);
  counting = false;
  const elapsed = (performance.now() - began) / 1000;
  process.send?.({ kind: 'end' });
  const cpu = process.cpuUsage(before);
  open = false;
  await idle;
  client.close();
  const sorted = Float64Array.from(latencies).sort();
  return {
    requests: latencies.length,
    errors,
    seconds: elapsed,
    p50: percentile(sorted, 0.5),
    p95: percentile(sorted, 0.95),
    p99: percentile(sorted, 0.99),
    cpuMs: (cpu.user + cpu.system) / 1000,
  };
}

const [target, workload, seconds] = JSON.parse(process.argv[2]!) as [string, Workload, number];
void run(target, workload, seconds).then((result) => process.send?.({ kind: 'result', result }, () => process.exit(0)));
