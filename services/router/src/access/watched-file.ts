import type { CancelTimer, Clock } from '@shoal/core';
import { readFile } from 'node:fs/promises';

/** How soon a change is seen. */
const pollMs = 1_000;

export interface WatchedFileParts {
  readonly path: string;
  /** What it held last. */
  readonly text: string;
  readonly clock: Clock;
  /** Contents that differ from those before. */
  readonly changed: (text: string) => void;
  /** Once for each time that it stops being readable. */
  readonly lost: (thrown: unknown) => void;
}

/**
 * Reads a small file again every second and compares: that sees every way of changing it, be it in place, by renaming another
 * onto it, or by turning a link of its path elsewhere, as Kubernetes does, on every file system.
 * @returns What stops that.
 */
export function watchFile({ path, text, clock, changed, lost }: WatchedFileParts): () => void {
  let last: string | undefined = text;
  let closed = false;
  let cancel: CancelTimer = schedule();

  function schedule(): CancelTimer {
    return clock.schedule(pollMs, () => void look());
  }

  async function look(): Promise<void> {
    let now: string | undefined;
    let failure: unknown;
    try {
      now = await readFile(path, 'utf8');
    } catch (thrown) {
      failure = thrown;
    }
    if (closed) return;
    if (now !== last) {
      last = now;
      if (now === undefined) lost(failure);
      else changed(now);
    }
    cancel = schedule();
  }

  return () => {
    closed = true;
    cancel();
  };
}
