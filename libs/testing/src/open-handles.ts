import { systemClock } from '@shoal/core';

/** Long enough for any turn of a busy machine, shorter than a test's own limit. */
const patienceMs = 4000;

/** What is open now: hand it to `assertNothingOpen` later. */
export function openNow(): string[] {
  // Missing from this version of Node's types.
  const { getActiveResourcesInfo } = process as unknown as { getActiveResourcesInfo: () => string[] };
  return getActiveResourcesInfo().filter((kind) => /^(TCP|Pipe|TLS)/.test(kind));
}

/** Throws when sockets or servers stay open that were not when a test began. Closing takes a few turns of the loop. */
export async function assertNothingOpen(before: readonly string[]): Promise<void> {
  await until(() => beyond(before).length === 0, `open: ${beyond(before).join(', ')}`);
}

/** Turns of the event loop until something holds; throws when it does not in a few seconds. */
export async function until(holds: () => boolean, what = String(holds)): Promise<void> {
  const giveUp = systemClock.now() + patienceMs;
  while (!holds()) {
    if (systemClock.now() > giveUp) throw new Error(`it did not come to pass: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function beyond(before: readonly string[]): string[] {
  const known = [...before];
  return openNow().filter((kind) => {
    const at = known.indexOf(kind);
    if (at < 0) return true;
    known.splice(at, 1);
    return false;
  });
}
