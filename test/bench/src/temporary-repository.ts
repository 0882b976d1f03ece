import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { writeRepository } from './models/repository';

/** The bench models in a folder of their own, for one run. */
export function temporaryRepository(): { readonly folder: string; remove(): void } {
  const folder = mkdtempSync(path.join(tmpdir(), 'shoal-bench-'));
  writeRepository(folder);
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
