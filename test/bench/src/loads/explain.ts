import { processTree, useBetween } from '@shoal/load';
import { type MethodDefinition, createClient, loadService } from '@shoal/rpc';
import type { ExplainJob, Explained } from '../explained/job';

/*
 * Explanations of one row, one after the other or several at a time. Started with an ExplainJob as JSON on standard input; writes an Explained
 * as JSON.
 */

interface Answer {
  readonly method: string;
  readonly usage: { readonly evaluations: number; readonly rows: number; readonly requests: number };
  readonly outputs: readonly { readonly values: readonly number[] }[];
}

const service = loadService('shoal/explain/v1/explain.proto', 'shoal.explain.v1.Explainability');
const explain = service['Explain'] as unknown as MethodDefinition<object, Answer>;

const patienceMs = 600_000;

async function run(job: ExplainJob): Promise<Explained> {
  const { target, pid, concurrency, effort } = job;
  const client = createClient(target);
  const request = requestOf(job);
  const explainFor = async (seconds: number): Promise<Answer[]> => {
    const answers: Answer[] = [];
    const end = performance.now() + seconds * 1000;
    const work = async () => {
      do answers.push(await client.unary(explain, request, { timeoutMs: patienceMs }));
      while (performance.now() < end);
    };
    await Promise.all(Array.from({ length: concurrency }, work));
    return answers;
  };
  await explainFor(effort.warmupSeconds);
  const before = processTree(pid);
  const began = performance.now();
  const answers = await explainFor(effort.seconds);
  const elapsed = performance.now() - began;
  const cpuMs = useBetween(before, processTree(pid)).reduce((total, used) => total + used.cpuMs, 0);
  client.close();
  const sum = (of: (answer: Answer) => number) => answers.reduce((total, answer) => total + of(answer), 0);
  const [first] = answers;
  return {
    rowsPerSecond: (sum(({ usage }) => usage.rows) * 1000) / elapsed,
    evaluationsPerSecond: (sum(({ usage }) => usage.evaluations) * 1000) / elapsed,
    rowsPerRequest: sum(({ usage }) => usage.rows) / sum(({ usage }) => usage.requests),
    cpuUs: (cpuMs * 1000) / sum(({ usage }) => usage.rows),
    milliseconds: (elapsed * concurrency) / answers.length,
    evaluations: first?.usage.evaluations ?? 0,
    rows: first?.usage.rows ?? 0,
    method: first?.method ?? '',
    values: first?.outputs[0]?.values ?? [],
  };
}

function requestOf({ model, output, input, method, evaluations }: ExplainJob): object {
  const { name, shape, row, background, grid } = input;
  const tensor = (values: readonly number[]) => {
    const rows = values.length / row.length;
    return { name, datatype: 'FP32', shape: [rows, ...shape], contents: { fp32_contents: values } };
  };
  return {
    model_name: model,
    inputs: [tensor(row)],
    ...(grid && { explained: [{ name, grid }] }),
    baseline: background ? { rows: { inputs: [tensor(background)] } } : { generator: { kind: 'ZERO' } },
    output: { name: output, indices: { index: [0] } },
    budget: { max_evaluations: evaluations },
    [method]: {},
  };
}

async function main(): Promise<void> {
  let text = '';
  for await (const chunk of process.stdin) text += String(chunk);
  const result = await run(JSON.parse(text) as ExplainJob);
  process.stdout.write(JSON.stringify(result), () => process.exit(0));
}

void main();
