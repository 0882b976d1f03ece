import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A file that only the right `proto/` holds, so that a stranger's folder of that name is passed by. */
const landmark = join('grpc', 'health', 'v1', 'health.proto');

let found: string | undefined;

/** The repository's `proto/` folder, found by walking up from this file: the same from `src` and from `dist`. */
export function protoDirectory(): string {
  found ??= search(__dirname);
  return found;
}

function search(from: string): string {
  const candidate = join(from, 'proto');
  if (existsSync(join(candidate, landmark))) return candidate;
  const parent = dirname(from);
  if (parent === from) throw new Error(`no proto/ folder holds ${landmark}`);
  return search(parent);
}
