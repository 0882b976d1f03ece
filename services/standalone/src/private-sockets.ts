import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A socket's path has at most 107 bytes. */
const longest = 60;

/** Unix sockets in a folder that nobody else may enter: doors between the rooms of one process. */
export class PrivateSockets {
  readonly #folder: string;

  constructor() {
    const temporary = tmpdir();
    this.#folder = mkdtempSync(path.join(temporary.length <= longest ? temporary : '/tmp', 'shoal-'));
  }

  /** `unix:PATH` */
  address(name: string): string {
    return `unix:${path.join(this.#folder, `${name}.sock`)}`;
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
