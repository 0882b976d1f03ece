import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** The project's folder, from src/ or dist/. */
export const projectRoot = findRoot(__dirname);

function findRoot(from: string): string {
  const file = path.join(from, 'package.json');
  if (existsSync(file) && (JSON.parse(readFileSync(file, 'utf8')) as { name?: string }).name === 'shoal') return from;
  const parent = path.dirname(from);
  if (parent === from) throw new Error('not inside the project');
  return findRoot(parent);
}
