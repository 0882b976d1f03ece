import { parseFlags } from '@shoal/config';
import { systemClock, systemRandom } from '@shoal/core';
import { type Format, benchFlags, formatRows, longArguments, progressLine, runBench, threadPacer } from '@shoal/load';

/** What `bench` needs of the process around it. */
export interface BenchShell {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown; readonly isTTY?: boolean };
  /** Calls back when the run is to end early. */
  onInterrupt(interrupted: () => void): void;
}

/** To the line's beginning, and clear it. */
const clearLine = '\r\u001B[K';

/**
 * Runs the load generator and prints what it saw; resolves with the exit code: 1 when a level had no answer.
 * @throws ShoalError for wrong options and for what the server refuses.
 */
export async function bench(argv: readonly string[], shell: BenchShell): Promise<number> {
  const config = parseFlags(benchFlags, { argv: longArguments(argv), env: shell.env });
  const abort = new AbortController();
  shell.onInterrupt(() => abort.abort());
  const shows = config.progress && shell.stderr.isTTY === true;
  const rows = await runBench(config, {
    clock: systemClock,
    random: systemRandom,
    createPacer: threadPacer,
    signal: abort.signal,
    onProgress(index, count, level, progress) {
      if (shows) shell.stderr.write(clearLine + progressLine(index, count, level, progress));
    },
    onRow() {
      if (shows) shell.stderr.write(clearLine);
    },
  });
  shell.stdout.write(formatRows(config.format as Format, rows));
  return rows.every((row) => row.answered > 0) ? 0 : 1;
}
