/** Resolves after `ms`. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Asks `probe` again and again until it gives something other than undefined or false, and resolves with that.
 * @throws Error with `what` and the last error of the probe when `timeoutMs` are over.
 */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  timeoutMs = 10_000,
): Promise<T> {
  const end = Date.now() + timeoutMs;
  let problem = '';
  for (;;) {
    try {
      const found = await probe();
      if (found !== undefined && found !== false) return found;
    } catch (thrown) {
      problem = ` (${String(thrown)})`;
    }
    if (Date.now() > end) {
      throw new Error(`did not happen within ${timeoutMs} ms: ${what}${problem}`);
    }
    await sleep(25);
  }
}

/** Rejects when `promise` takes longer than `timeoutMs`, naming `what`. */
export async function within<T>(what: string, promise: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`took longer than ${timeoutMs} ms: ${what}`)), timeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
