import { type ChildProcess, spawn, spawnSync } from 'node:child_process';

/** Programs of others that the tests run; .ci/run builds them with Go and names them in these variables. */
export const toolVariables = {
  interopClient: 'GRPC_INTEROP_CLIENT',
  interopServer: 'GRPC_INTEROP_SERVER',
  grpcurl: 'GRPCURL',
  ghz: 'GHZ',
} as const;

/**
 * A tool's path, or undefined, with a warning, where it is not to be had.
 * @throws Error in CI on a machine with Go, where it must be there.
 */
export function findTool(tool: keyof typeof toolVariables): string | undefined {
  const variable = toolVariables[tool];
  const path = process.env[variable];
  if (path !== undefined && path !== '') return path;
  const problem = `${variable} does not name the program: see .ci/run`;
  if (process.env['CI'] === 'true' && spawnSync('go', ['version']).status === 0) throw new Error(problem);
  console.warn(`not tried: ${problem}`);
  return undefined;
}

/** What a program that ran to its end said. */
export interface Outcome {
  readonly code: number | null;
  /** stdout and stderr, as they came. */
  readonly output: string;
}

/** Runs a program to its end, for at most `timeoutMs`. */
export function run(program: string, args: readonly string[], timeoutMs = 30_000): Promise<Outcome> {
  const child = start(program, args, timeoutMs);
  return new Promise((resolve, reject) => {
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
    }
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}

/** Starts a program with nothing on its stdin; killed after `timeoutMs`. */
export function start(program: string, args: readonly string[], timeoutMs?: number): ChildProcess {
  return spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: timeoutMs, killSignal: 'SIGKILL' });
}

/**
 * A Python that has grpcio: $SHOAL_PYTHON, else the machine's own.
 * @throws Error in CI, where one must be there.
 */
export function findPython(): string | undefined {
  const candidates = [process.env['SHOAL_PYTHON'], 'python3'].filter((name) => name !== undefined && name !== '');
  const found = candidates.find((name) => spawnSync(name!, ['-c', 'import grpc.aio']).status === 0);
  if (found !== undefined) return found;
  const problem = 'no Python with grpcio: pip install grpcio, or name one in SHOAL_PYTHON';
  if (process.env['CI'] === 'true') throw new Error(problem);
  console.warn(`not tried: ${problem}`);
  return undefined;
}
