import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/**
 * Reads a regular file of at most `maxBytes`. Throws a plain Error whose message names no path: "no such file", "not a
 * regular file", "larger than N bytes". Never blocks on a pipe and never allocates more than the limit.
 */
export async function readBounded(path: string, maxBytes: number): Promise<Buffer> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
    throw new Error(fileTrouble(error), { cause: error });
  });
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw new Error('not a regular file');
    if (stat.size > maxBytes) throw new Error(`larger than ${maxBytes} bytes`);
    // One byte more than it had: a file that grows meanwhile is noticed, not followed.
    const buffer = Buffer.alloc(stat.size + 1);
    let filled = 0;
    while (filled < buffer.length) {
      const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    if (filled > stat.size) throw new Error('changed while it was read');
    return buffer.subarray(0, filled);
  } finally {
    await file.close();
  }
}

/** Says what went wrong with a file without saying where the file is. */
export function fileTrouble(error: unknown): string {
  const code = errorCode(error) ?? '';
  const known: Readonly<Record<string, string>> = {
    ENOENT: 'no such file or folder',
    ENOTDIR: 'not a folder',
    EISDIR: 'is a folder',
    EACCES: 'permission denied',
    EPERM: 'permission denied',
    ELOOP: 'too many symbolic links',
    ENAMETOOLONG: 'the file name is too long',
    EMFILE: 'too many open files',
    ENOSPC: 'no space left',
  };
  return known[code] ?? `cannot be read (${code || 'unknown error'})`;
}

/** The system's code of an error: `ENOENT` and the like. Asks no `instanceof`: Node's errors may come from another realm. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
