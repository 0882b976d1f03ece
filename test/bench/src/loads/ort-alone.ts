import { Latencies } from '@shoal/load';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Alone, AloneJob } from '../tables/limit';

/*
 * The limit: the same tensors through onnxruntime-node alone, one run after the other, with no server around it.
 * Started with an AloneJob as JSON; writes an Alone as JSON.
 */

async function run({ file, rows, inputs, effort }: AloneJob): Promise<Alone> {
  const session = await InferenceSession.create(file, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
  const feeds = Object.fromEntries(
    inputs.map(({ name, type, dims }) => {
      const count = rows * dims.reduce((product, dim) => product * dim, 1);
      const values = Array.from({ length: count }, (_, i) => (i % 251) / 251);
      const shape = [rows, ...dims];
      return [
        name,
        type === 'FP32'
          ? new Tensor('float32', Float32Array.from(values), shape)
          : new Tensor('int32', Int32Array.from(values), shape),
      ];
    }),
  );
  const until = async (seconds: number, each: (ms: number) => void) => {
    const end = performance.now() + seconds * 1000;
    for (let now = performance.now(); now < end;) {
      await session.run(feeds);
      const after = performance.now();
      each(after - now);
      now = after;
    }
  };
  await until(effort.warmupSeconds, () => undefined);
  const latencies = new Latencies();
  const cpu = process.cpuUsage();
  const began = performance.now();
  await until(effort.seconds, (ms) => latencies.record(ms));
  const elapsed = performance.now() - began;
  const { user, system } = process.cpuUsage(cpu);
  const { count, p50, p99 } = latencies.summary();
  return { rate: (count * rows * 1000) / elapsed, p50, p99, cpuUs: (user + system) / (count * rows) };
}

void run(JSON.parse(process.argv[2] ?? '') as AloneJob).then((result) =>
  process.stdout.write(JSON.stringify(result), () => process.exit(0)),
);
