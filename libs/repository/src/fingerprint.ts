import { createHash, type Hash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { maxFingerprintDepth, maxFingerprintEntries } from './limits';
import { versionOf } from './version-policy';

/** What a model folder looks like from outside: equal digests mean nothing to reload. */
export interface FolderFingerprint {
  /** Of config.pbtxt and all else that is no version folder: labels, warm-up data. */
  readonly config: string;
  /** Of each version folder that is present. */
  readonly versions: ReadonlyMap<number, string>;
}

/**
 * Fingerprints a model folder by names, sizes and modification times, never by contents. Hidden files and editors'
 * back-ups (`~`) do not count. Looks at no more than a bounded number of entries; a file that vanishes meanwhile is
 * simply not there.
 */
export async function fingerprintFolder(directory: string): Promise<FolderFingerprint> {
  const walk = { left: maxFingerprintEntries };
  const config = createHash('sha256');
  const versions = new Map<number, string>();
  for (const name of await entriesOf(directory)) {
    const version = versionOf(name);
    const path = join(directory, name);
    if (version !== undefined && (await isFolder(path))) {
      const hash = createHash('sha256');
      await digestFolder(path, hash, walk, 1);
      versions.set(version, hash.digest('base64'));
    } else {
      await digestEntry(path, name, config, walk, 1);
    }
  }
  return { config: config.digest('base64'), versions };
}

interface Walk {
  left: number;
}

async function digestFolder(directory: string, hash: Hash, walk: Walk, depth: number): Promise<void> {
  for (const name of await entriesOf(directory)) await digestEntry(join(directory, name), name, hash, walk, depth);
}

async function digestEntry(path: string, name: string, hash: Hash, walk: Walk, depth: number): Promise<void> {
  if (walk.left-- <= 0) return;
  const found = await stat(path, { bigint: true }).catch(() => undefined);
  hash.update(JSON.stringify(name));
  if (found === undefined) return;
  if (found.isDirectory()) {
    hash.update('{');
    if (depth < maxFingerprintDepth) await digestFolder(path, hash, walk, depth + 1);
    hash.update('}');
  } else {
    hash.update(`:${found.size}:${found.mtimeNs}:${found.ino};`);
  }
}

async function entriesOf(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch(() => []);
  return names.filter((name) => !name.startsWith('.') && !name.endsWith('~')).sort();
}

async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() ?? false;
}
