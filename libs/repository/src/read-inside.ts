import { realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { fileTrouble, readBounded } from './bounded-read';
import { innerPath } from './file-names';

/**
 * Reads a file that a config names, relative to `directory`. It must lie inside, also after symbolic links are followed.
 * Throws a plain Error whose message names no path.
 */
export async function readInside(directory: string, name: string, maxBytes: number): Promise<Buffer> {
  const outside = 'it must lie inside the model folder';
  const path = innerPath(name);
  if (path === undefined) throw new Error(outside);
  const [real, home] = await Promise.all([realpath(join(directory, ...path)), realpath(directory)]).catch(
    (error: unknown) => {
      throw new Error(fileTrouble(error), { cause: error });
    },
  );
  if (!real.startsWith(home + sep)) throw new Error(outside);
  return readBounded(real, maxBytes);
}
