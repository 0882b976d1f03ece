import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Column, figure } from '@shoal/load';
import { type MethodDefinition, createClient, loadService } from '@shoal/rpc';
import { type Service, end, startService } from '../child';
import type { ExplainJob } from '../explained/job';
import { type Question, questions } from '../explained/questions';
import { backgroundRows } from '../explained/rows';
import { marginModel } from '../models/margin-model';
import { projectRoot } from '../project-root';
import { cli } from '../shoal';
import type { Cell, Line, Measured, OpenTable } from '../table';
import { temporaryRepository } from '../temporary-repository';

/** Of the server's process, after garbage was collected, while an explanation goes on. MB. */
interface Kept extends Measured {
  readonly heap: number;
  /** Outside the heap: buffers. */
  readonly external: number;
  readonly resident: number;
}

/** Looked at in this order, of one explanation each method. */
const looks = [2_000, 20_000];
const methods = ['permutation', 'kernel_shap', 'banzhaf'];
const pollMs = 50;
/** Of one look: it takes seconds. */
const longestMs = 300_000;

const columns: readonly Column<Line<Kept>>[] = [
  { title: 'method, evaluations', cell: ({ name }) => name },
  { title: 'heap MB', cell: ({ median }) => figure(median.heap) },
  { title: 'buffers MB', cell: ({ median }) => figure(median.external) },
  { title: 'resident MB', cell: ({ median }) => figure(median.resident) },
];

export const memoryTable = {
  async open(): Promise<OpenTable<Kept>> {
    const [question] = questions();
    if (!question) throw new Error('there is nothing to explain');
    const repository = temporaryRepository([marginModel]);
    const folder = mkdtempSync(path.join(tmpdir(), 'shoal-bench-heap-'));
    const file = path.join(folder, 'heap.json');
    process.env['BENCH_HEAP_FILE'] = file;
    const hook = path.join(projectRoot, 'test/bench/peers/heap-on-signal.cjs');
    const serve = [cli, 'serve', '--model-repository', repository.folder, '--grpc-port', '0'];
    const server = await startService(
      [process.execPath, '--expose-gc', '--require', hook, ...serve],
      /Started GRPCInferenceService at (\S+)/,
    );
    const cells = methods.map((method): Cell<Kept>[] => {
      const run = lazily(() => startLong(question, server, method));
      return looks.map((evaluations) => ({
        name: `${method}, ${evaluations}`,
        async measure() {
          const long = run();
          await long.reached(evaluations);
          const kept = await memoryOf(server.pid, file);
          if (evaluations === looks.at(-1)) await long.stop();
          return { ...kept, rate: evaluations };
        },
      }));
    });
    return {
      cells: cells.flat(),
      columns,
      notes: () => [
        'One explanation each method, of 30 features on a background of 50 rows; of the process with router, batching and explainability.',
      ],
      async close() {
        await server.stop();
        repository.remove();
        rmSync(folder, { recursive: true });
      },
    };
  },
};

function lazily<R>(make: () => R): () => R {
  let made: R | undefined;
  return () => (made ??= make());
}

/** An explanation that goes on and on. */
function startLong(question: Question, { target, pid }: Service, method: string) {
  const effort = { seconds: 1, warmupSeconds: 1 };
  const job: ExplainJob = { ...question.job, target, pid, method, evaluations: 1_000_000, concurrency: 1, effort };
  const child = spawn(process.execPath, [path.join(__dirname, '..', 'loads', 'explain.js')], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  child.stdin.end(JSON.stringify(job));
  const service = loadService('inference/grpc_service.proto', 'inference.GRPCInferenceService');
  const statistics = service['ModelStatistics'] as MethodDefinition<
    object,
    { model_stats: readonly { inference_count: string }[] }
  >;
  const client = createClient(target);
  const inferred = async () => {
    const answer = await client.unary(statistics, { name: marginModel.name }, { timeoutMs: 10_000 });
    return Number(answer.model_stats[0]?.inference_count ?? 0);
  };
  const before = inferred();
  return {
    async reached(evaluations: number): Promise<void> {
      const wanted = (await before) + evaluations * backgroundRows;
      const until = performance.now() + longestMs;
      while ((await inferred()) < wanted) {
        if (performance.now() > until) throw new Error(`${evaluations} evaluations were not made`);
        await new Promise((resolve) => setTimeout(resolve, pollMs));
      }
    },
    async stop(): Promise<void> {
      client.close();
      await end(child);
    },
  };
}

async function memoryOf(pid: number, file: string): Promise<Omit<Kept, 'rate'>> {
  rmSync(file, { force: true });
  process.kill(pid, 'SIGUSR2');
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, pollMs));
    try {
      const { heapUsed, external, rss } = JSON.parse(readFileSync(file, 'utf8')) as NodeJS.MemoryUsage;
      const mb = (bytes: number) => bytes / 1024 ** 2;
      return { heap: mb(heapUsed), external: mb(external), resident: mb(rss) };
    } catch {
      // It has not been written yet.
    }
  }
}
