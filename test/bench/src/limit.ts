import { InferenceSession, Tensor } from 'onnxruntime-node';
import { type LoadResult, percentile } from './workload';

/*
 * The limit: the same tensors through onnxruntime-node alone, one batch after the other, with no server around it.
 * Started with (model file, elements, rows per batch, seconds) as JSON.
 */

async function run(file: string, elements: number, rows: number, seconds: number): Promise<LoadResult> {
  const session = await InferenceSession.create(file, { extra: { session: { intra_op: { allow_spinning: '0' } } } });
  const latencies: number[] = [];
  const input = () => new Tensor('float32', new Float32Array(rows * elements), [rows, elements]);
  for (let i = 0; i < 50; i++) await session.run({ INPUT0: input() });
  const before = process.cpuUsage();
  const began = performance.now();
  let now = began;
  while (now - began < seconds * 1000) {
    await session.run({ INPUT0: input() });
    const after = performance.now();
    latencies.push(after - now);
    now = after;
  }
  const cpu = process.cpuUsage(before);
  const sorted = Float64Array.from(latencies).sort();
  return {
    requests: latencies.length * rows,
    errors: 0,
    seconds: (now - began) / 1000,
    p50: percentile(sorted, 0.5),
    p95: percentile(sorted, 0.95),
    p99: percentile(sorted, 0.99),
    cpuMs: (cpu.user + cpu.system) / 1000,
  };
}

const [file, elements, rows, seconds] = JSON.parse(process.argv[2]!) as [string, number, number, number];
void run(file, elements, rows, seconds).then((result) =>
  process.send?.({ kind: 'result', result }, () => process.disconnect()),
);
