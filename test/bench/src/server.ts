import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { call, connect, projectRoot } from './client';

/** A Shoal under test. */
export interface ServerUnderTest {
  readonly target: string;
  readonly pid: number;
  readonly modelFile: string;
  /** Executions and rows so far, of the bench model. */
  counts(): Promise<{ executions: number; rows: number }>;
  stop(): Promise<void>;
}

const config = `name: "identity"
platform: "onnxruntime_onnx"
max_batch_size: 64
input [ { name: "INPUT0" data_type: TYPE_FP32 dims: [ -1 ] } ]
output [ { name: "OUTPUT0" data_type: TYPE_FP32 dims: [ -1 ] } ]
dynamic_batching { }
`;

interface Statistics {
  readonly model_stats: readonly { readonly execution_count: number; readonly inference_count: number }[];
}

/** Starts `shoal serve` on a repository with one identity model that batches. */
export async function startServer(extraArguments: readonly string[]): Promise<ServerUnderTest> {
  const repository = mkdtempSync(path.join(tmpdir(), 'shoal-bench-'));
  const version = path.join(repository, 'identity', '1');
  const modelFile = path.join(version, 'model.onnx');
  mkdirSync(version, { recursive: true });
  cpSync(path.join(projectRoot, 'test/fixtures/models/identity_fp32/1/model.onnx'), modelFile);
  writeFileSync(path.join(repository, 'identity', 'config.pbtxt'), config);
  const child = spawn(
    process.execPath,
    [
      path.join(projectRoot, 'services/standalone/dist/cli.js'),
      'serve',
      ...['--model-repository', repository, '--grpc-port', '0'],
      ...extraArguments,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const target = await startedAt(child);
  const client = connect(target);
  return {
    target,
    pid: child.pid!,
    modelFile,
    async counts() {
      const { model_stats } = await call<Statistics>(client, 'ModelStatistics', { name: 'identity' });
      return { executions: model_stats[0]!.execution_count, rows: model_stats[0]!.inference_count };
    },
    async stop() {
      client.close();
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await gone;
      rmSync(repository, { recursive: true, force: true });
    },
  };
}

function startedAt(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = '';
    child.stdout!.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      const started = /Started GRPCInferenceService at (\S+)/.exec(output);
      if (started) resolve(started[1]!);
    });
    child.once('exit', (code) => reject(new Error(`the server ended with ${code} before it served:\n${output}`)));
  });
}
