import { type ChildProcess, fork } from 'node:child_process';
import type { CancelTimer, Clock } from '@shoal/core';
import type { FromRunner, ToRunner } from '../control-messages';
import { distPath } from '../dist-path';
import { findPrlimit, residentBytes } from './memory';
import { OutputTail } from './output-tail';
import { runnerEnv } from './runner-env';

/** How often the memory of a runner is looked at where the kernel does not limit it. */
const memoryCheckMs = 1000;

export interface RunnerProcessOptions {
  readonly clock: Clock;
  /** A folder of the supervisor's own. */
  readonly cwd: string;
  readonly memoryLimitBytes: number;
  readonly onMessage: (message: FromRunner) => void;
  /** A line on stderr, as it is. */
  readonly onOutput: (line: string) => void;
  /** Called once. */
  readonly onExit: (exit: RunnerExit) => void;
}

export interface RunnerExit {
  /** Why, in one phrase: what `kill` was told, else the signal or the exit code. */
  readonly reason: string;
  /** Ended by itself with code 0. */
  readonly orderly: boolean;
  /** Last lines of its stderr. */
  readonly output: readonly string[];
}

/**
 * One runner process. It is a process group of its own, so that a terminal's Ctrl-C reaches the supervisor alone; it
 * ends itself when the supervisor is gone. Its memory is bounded by the kernel where prlimit is at hand
 * (RLIMIT_DATA, so that reservations that hold nothing do not count), else by looking at it.
 */
export class RunnerProcess {
  readonly #child: ChildProcess | undefined;
  readonly #tail = new OutputTail();
  #killReason: string | undefined;
  #cancelMemoryCheck: CancelTimer = () => undefined;

  constructor(options: RunnerProcessOptions) {
    const { clock, cwd, memoryLimitBytes, onMessage, onOutput, onExit } = options;
    const prlimit = findPrlimit();
    let ended = false;
    const end = (reason: string, orderly: boolean) => {
      if (ended) return;
      ended = true;
      this.#cancelMemoryCheck();
      onExit({ reason: this.#killReason ?? reason, orderly, output: this.#tail.lines });
    };
    let child: ChildProcess;
    try {
      child = forkRunner(prlimit, cwd, memoryLimitBytes);
    } catch (thrown) {
      // Node tells of some of the system's refusals (no memory for one) so, and not by an event.
      clock.schedule(0, () => end(notStarted(thrown), false));
      return;
    }
    this.#child = child;
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      for (const line of this.#tail.push(chunk)) onOutput(line);
    });
    child.on('message', (message) => onMessage(message as FromRunner));
    child.on('error', (error) => child.pid ?? end(notStarted(error), false));
    // 'close' and not 'exit': by then all of stderr has been read.
    child.on('close', (code, signal) => end(signal ? `signal ${signal}` : `exit code ${code}`, code === 0));
    if (!prlimit) this.#watchMemory(clock, memoryLimitBytes);
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** The last lines of its stderr so far. */
  get output(): readonly string[] {
    return this.#tail.lines;
  }

  /** Dropped when the process is gone. */
  send(message: ToRunner): void {
    if (this.#child?.connected) this.#child.send(message, () => undefined);
  }

  /** Ends the process at once, whatever it does. */
  kill(reason: string): void {
    this.#killReason ??= reason;
    this.#child?.kill('SIGKILL');
  }

  #watchMemory(clock: Clock, limit: number): void {
    this.#cancelMemoryCheck = clock.schedule(memoryCheckMs, () => {
      const held = this.pid === undefined ? undefined : residentBytes(this.pid);
      if (held !== undefined && held > limit) this.kill(`took more than ${Math.round(limit / 2 ** 20)} MB of memory`);
      else this.#watchMemory(clock, limit);
    });
  }
}

function forkRunner(prlimit: string | undefined, cwd: string, memoryLimitBytes: number): ChildProcess {
  return fork(distPath('runner/main.js'), [], {
    execPath: prlimit ?? process.execPath,
    execArgv: prlimit ? ['--core=0', `--data=${memoryLimitBytes}`, '--', process.execPath] : [],
    cwd,
    env: runnerEnv(process.env),
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
}

/** The system's code alone: its message names a path, and clients read this. */
function notStarted(error: unknown): string {
  return `could not be started: ${(error as NodeJS.ErrnoException).code ?? 'no reason given'}`;
}
