import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { BenchModel } from './models/bench-models';
import { writeRepository } from './models/repository';

/** The bench models, or others, in a folder of their own, for one run. */
export function temporaryRepository(models?: readonly BenchModel[]): { readonly folder: string; remove(): void } {
  const folder = mkdtempSync(path.join(tmpdir(), 'shoal-bench-'));
  writeRepository(folder, models);
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
