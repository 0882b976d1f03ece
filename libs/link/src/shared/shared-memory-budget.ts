import { statfsSync } from 'node:fs';

/** Where shared memory lives on Linux; elsewhere there is none. */
const sharedMemoryFolder = '/dev/shm';

/** Most shared memory that a process takes unless it is told otherwise. */
export const defaultSharedMemoryBytes = 2 ** 30;

/** Its part of the machine's shared memory, which clients and other processes need too. */
const largestShare = 0.25;

/** Bounds the shared memory that all links of one process take together, in bytes. */
export class SharedMemoryBudget {
  readonly limit: number;
  /** Where the files are made. */
  readonly folder: string;
  #taken = 0;

  constructor(limit: number, folder: string) {
    this.limit = limit;
    this.folder = folder;
  }

  get taken(): number {
    return this.#taken;
  }

  /** False when there is not so much left; nothing is taken then. */
  take(bytes: number): boolean {
    if (this.#taken + bytes > this.limit) return false;
    this.#taken += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#taken -= bytes;
  }
}

/** A budget of `bytes`, or a quarter of the machine's shared memory where that is less; undefined where there is none. */
export function sharedMemoryBudget(bytes: number, folder = sharedMemoryFolder): SharedMemoryBudget | undefined {
  if (bytes <= 0 || process.platform !== 'linux') return undefined;
  try {
    const { blocks, bsize } = statfsSync(folder);
    const limit = Math.min(bytes, Math.floor(blocks * bsize * largestShare));
    return limit > 0 ? new SharedMemoryBudget(limit, folder) : undefined;
  } catch {
    return undefined;
  }
}
