import { type ChildProcess, spawn } from 'node:child_process';

/** A process that was started and has said where it serves. */
export interface Service {
  readonly target: string;
  readonly pid: number;
  stop(): Promise<void>;
}

const startMs = 120_000;
const stopMs = 20_000;

/** Starts a program and waits until its output matches `ready`, whose first group is its address. */
export async function startService(
  command: readonly string[],
  ready: RegExp,
  env: Readonly<Record<string, string>> = {},
): Promise<Service> {
  const [program = '', ...argv] = command;
  const child = spawn(program, argv, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ORT_DISABLE_TELEMETRY: '1', ...process.env, ...env },
  });
  return { target: await readyAddress(child, ready), pid: child.pid ?? 0, stop: () => end(child) };
}

function readyAddress(child: ChildProcess, ready: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = '';
    const timer = setTimeout(() => fail('did not say that it serves'), startMs);
    const fail = (why: string) => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      reject(new Error(`${child.spawnargs.join(' ')} ${why}:\n${output}`));
    };
    child.once('error', (error) => fail(error.message));
    child.once('exit', (code) => fail(`ended with ${code}`));
    child.stdout?.on('data', (chunk: Buffer) => {
      if (output.length < 100_000) output += chunk.toString();
      const found = ready.exec(output);
      if (found === null) return;
      clearTimeout(timer);
      resolve(found[1] ?? '');
    });
  });
}

/** Ends a child in order, or after a while by force. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), stopMs);
  await gone;
  clearTimeout(timer);
}

/** Runs a program to its end and gives its standard output; what it says on stderr is shown. `input` is its standard input. */
export function outputOf(command: readonly string[], input = ''): Promise<string> {
  const [program = '', ...argv] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(program, argv, {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ORT_DISABLE_TELEMETRY: '1', ...process.env },
    });
    // One that ends without reading it has said why on stderr.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(output);
      else reject(new Error(`${command.join(' ')} ended with ${code}`));
    });
  });
}
