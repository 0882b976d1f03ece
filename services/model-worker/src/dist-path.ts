import { join } from 'node:path';

/** A built file of this package: processes and threads are started from `dist`, also when the tests run the sources. */
export function distPath(file: string): string {
  return join(__dirname, '../dist', file);
}
