import type { LoadLevel, Progress } from './run-level';

/** One line that says how far a level is. */
export function progressLine(index: number, count: number, level: LoadLevel, progress: Progress): string {
  const name = level.kind === 'closed' ? `${level.concurrency} in flight` : `${level.rate}/s ${level.distribution}`;
  const seconds = (ms: number) => (ms / 1000).toFixed(1);
  const { phase, elapsedMs, totalMs, ended, inFlight } = progress;
  const rate = elapsedMs > 0 ? ((ended * 1000) / elapsedMs).toFixed(0) : '0';
  const where = `${seconds(Math.min(elapsedMs, totalMs))} of ${seconds(totalMs)} s`;
  return `[${index + 1}/${count}] ${name}: ${phase}, ${where}, ${ended} answered (${rate}/s), ${inFlight} open`;
}
