import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** The project's folder and version: the nearest package.json above that is named "shoal". */
export const project = findProject(__dirname);

function findProject(folder: string): { readonly root: string; readonly version: string } {
  const file = path.join(folder, 'package.json');
  if (existsSync(file)) {
    const { name, version } = JSON.parse(readFileSync(file, 'utf8')) as { name?: string; version?: string };
    if (name === 'shoal') return { root: folder, version: version ?? '' };
  }
  const parent = path.dirname(folder);
  if (parent === folder) throw new Error('shoal: package.json not found above the program');
  return findProject(parent);
}
