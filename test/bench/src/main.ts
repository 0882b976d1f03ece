import path from 'node:path';
import { parseArgs } from 'node:util';
import { projectRoot } from './client';
import { markdown, medians, write } from './report';
import { type Row, measure, measureLimit } from './serve';
import { startServer } from './server';
import { workloads } from './workload';

const usage = `Usage: npm run bench -- [serve] [options] [-- server flags]

Measures the whole of Shoal (door, batcher, runner) with a stock gRPC client in a process of its own, and the same
tensors through onnxruntime-node alone as the limit. All cells are interleaved, round after round, in one run.

  --seconds N   seconds measured per cell and round (default 3)
  --rounds N    rounds; the median by rate is shown (default 3)
  --only TEXT   only cells whose "TENSOR CALL CONCURRENCY" contains TEXT
  --help        this text

Writes test/bench/results/serve.json and serve.md.
`;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seconds: { type: 'string', default: '3' },
      rounds: { type: 'string', default: '3' },
      only: { type: 'string', default: '' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  const seconds = Number(values.seconds);
  const rounds: Row[][] = [];
  const chosen = workloads.filter((w) => `${w.tensor} ${w.call} ${w.concurrency}`.includes(values.only ?? ''));
  const server = await startServer(positionals.filter((argument) => argument !== 'serve'));
  try {
    for (let round = 0; round < Number(values.rounds); round++) {
      const rows: Row[] = [];
      for (const workload of chosen) {
        process.stderr.write(
          `round ${round + 1}/${values.rounds}: ${workload.tensor} ${workload.call} ${workload.concurrency}\n`,
        );
        rows.push(await measure(server, workload, seconds));
      }
      for (const tensor of new Set(chosen.map((w) => w.tensor))) {
        const { elements } = chosen.find((w) => w.tensor === tensor)!;
        for (const batch of [1, 16]) rows.push(await measureLimit(server.modelFile, tensor, elements, batch, seconds));
      }
      rounds.push(rows);
    }
  } finally {
    await server.stop();
  }
  const rows = medians(rounds);
  process.stdout.write(`${markdown(rows)}\n`);
  const file = write(path.join(projectRoot, 'test/bench/results'), rows, rounds);
  process.stdout.write(`\nwritten: ${path.relative(process.cwd(), file)}\n`);
}

void main();
