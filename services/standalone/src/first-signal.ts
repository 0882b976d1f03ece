import type { Clock } from '@shoal/core';
import { signalMeanings } from './signals';

/** What waits for the end needs of the process around it. */
export interface SignalShell {
  readonly clock: Clock;
  /** For people: start-up and shut-down lines. */
  print(line: string): void;
  /** Calls back with the name of each signal that should end the process. */
  onSignal(received: (signal: string) => void): void;
  /** Ends the process without waiting for anybody. */
  exit(code: number): void;
}

/** Resolves at the first signal; a second one does not wait for anybody. */
export function firstSignal(shell: SignalShell): Promise<string> {
  const meaningOf = signalMeanings(shell.clock);
  return new Promise((resolve) => {
    shell.onSignal((signal) => {
      const meaning = meaningOf(signal);
      if (meaning === 'drain') resolve(signal);
      if (meaning !== 'exit') return;
      shell.print(`${signal} again: ending at once`);
      shell.exit(1);
    });
  });
}
