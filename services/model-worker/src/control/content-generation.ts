import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { ScannedModel, ScannedVersion } from '@shoal/repository';

/** Characters of base64url: 108 bits. */
const nameLength = 18;

/** Files of one version that are looked at, at most. */
const maxFiles = 10_000;

/**
 * Names the loading of a version by its contents: config, labels, and all files of the version's folder. Two workers
 * that loaded the same name it alike, wherever their repositories lie, and so serve one queue; a change of any of it is
 * another queue.
 */
export async function contentGeneration(model: ScannedModel, version: ScannedVersion): Promise<string> {
  const hash = createHash('sha256');
  hash.update(JSON.stringify([model.name, version.version, model.config, model.labels]));
  if (version.reason === '') {
    const folder = dirname(version.file);
    for (const file of await filesIn(folder)) {
      hash.update(JSON.stringify([relative(folder, file)]));
      await digestFile(file, hash);
    }
  }
  return hash.digest('base64url').slice(0, nameLength);
}

/** Paths of all that lies in it, by name. */
async function filesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  return names
    .sort((a, b) => (a < b ? -1 : 1))
    .slice(0, maxFiles)
    .map((name) => join(folder, name));
}

/** What cannot be read counts as empty: loading it tells why. */
async function digestFile(file: string, hash: ReturnType<typeof createHash>): Promise<void> {
  try {
    // Folders are in their files' names; pipes and devices might never end.
    if (!(await stat(file)).isFile()) return;
    for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  } catch {
    hash.update('unreadable');
  }
}
