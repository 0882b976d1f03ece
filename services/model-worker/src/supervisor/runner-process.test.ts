import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@shoal/core';
import { type RunnerExit, RunnerProcess } from './runner-process';

function exitOf(cwd: string): { readonly process: RunnerProcess; readonly exit: Promise<RunnerExit> } {
  let process!: RunnerProcess;
  const exit = new Promise<RunnerExit>((onExit) => {
    const ignore = () => undefined;
    const memoryLimitBytes = 2 ** 30;
    process = new RunnerProcess({
      clock: systemClock,
      cwd,
      memoryLimitBytes,
      onMessage: ignore,
      onOutput: ignore,
      onExit,
    });
  });
  return { process, exit };
}

test('a process that the system refuses by an exception is an exit with its reason, not an end of the supervisor', async () => {
  // Longer than the kernel lets one variable be.
  process.env['ORT_TOO_LONG'] = 'x'.repeat(2 ** 20);
  try {
    const { process: refused, exit } = exitOf(tmpdir());
    refused.send({ kind: 'ping' });
    expect(refused.pid).toBeUndefined();
    expect(await exit).toEqual({ reason: 'could not be started: E2BIG', orderly: false, output: [] });
    refused.kill('stopped');
  } finally {
    delete process.env['ORT_TOO_LONG'];
  }
});

test('so is one that the system refuses by an event', async () => {
  const { exit } = exitOf(join(tmpdir(), 'no-such-folder'));
  expect((await exit).reason).toBe('could not be started: ENOENT');
});
