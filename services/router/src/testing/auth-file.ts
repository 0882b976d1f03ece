import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A tenant's entry in the file, with one key. */
export function tenantEntry(name: string, key: string, more: object = {}): object {
  return { name, keys: [keyEntry('1', key)], models: ['*'], ...more };
}

export function keyEntry(id: string, key: string): object {
  return { id, sha256: createHash('sha256').update(key).digest('hex') };
}

/** An auth file in a folder of its own. */
export class TemporaryAuthFile {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'shoal-auth-'));
  readonly path = path.join(this.folder, 'auth.json');

  constructor(content: object) {
    this.write(content);
  }

  write(content: object): void {
    writeFileSync(this.path, JSON.stringify(content));
  }

  delete(): void {
    rmSync(this.folder, { recursive: true });
  }
}
