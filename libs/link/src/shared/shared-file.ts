import { randomBytes } from 'node:crypto';
import { closeSync, ftruncateSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { CancelTimer, Clock } from '@shoal/core';
import { Block } from './block';
import { BlockAllocator } from './block-allocator';
import type { SharedMemoryBudget } from './shared-memory-budget';

/** Bytes at the file's beginning that prove to the other end that it has opened the right one. */
export const nonceBytes = 16;

/**
 * Where blocks begin. A quarter of a page off, because some processors copy at a fifth of their speed when the target
 * lies up to 64 bytes beyond the source modulo a page, as large buffers, 16 bytes off a page, would for blocks on one.
 */
export const firstBlock = 4096 + 1024;

/** What has not been used for about so long is given back to the system. */
const idleMs = 5_000;

/**
 * Memory that one end of a link writes and the other reads: a file in /dev/shm that has lost its name already when the
 * constructor returns, so that it is gone with the processes that have it open, however these end. It is written with
 * system calls and not mapped: a full /dev/shm is an error here, where it would end a process that has it mapped.
 */
export class SharedFile {
  readonly nonce = randomBytes(nonceBytes);
  readonly fd: number;
  /** Where the file may end. */
  readonly size: number;
  readonly #clock: Clock;
  readonly #budget: SharedMemoryBudget;
  readonly #allocator: BlockAllocator;
  /** Bytes of the file that have been written once, and so take memory. */
  #touched = firstBlock;
  /** Blocks written so far. */
  #written = 0;
  #cancelTrim: CancelTimer | undefined;

  /** @param limit Where the file may end. Throws what the file system throws. */
  constructor(clock: Clock, budget: SharedMemoryBudget, limit = budget.limit) {
    this.#clock = clock;
    this.#budget = budget;
    this.size = Math.min(limit, budget.limit);
    this.#allocator = new BlockAllocator(firstBlock, this.size);
    const path = join(budget.folder, `shoal-${randomBytes(12).toString('hex')}`);
    this.fd = openSync(path, 'wx+', 0o600);
    unlinkSync(path);
    writeSync(this.fd, this.nonce, 0, nonceBytes, 0);
  }

  /** Writes bytes into a block, `length` in all; undefined when there is no room for them. */
  put(pieces: readonly Uint8Array[], length: number): Block | undefined {
    const offset = this.#allocator.allocate(length);
    if (offset === undefined) return undefined;
    if (this.#touch(offset + length) && writeAll(this.fd, pieces, offset)) {
      this.#written += 1;
      return new Block(offset, length);
    }
    this.free(offset);
    return undefined;
  }

  /** The other end has read a block. False when there is no such block. */
  free(offset: number): boolean {
    const known = this.#allocator.free(offset);
    if (this.#allocator.used === 0) this.#trimLater();
    return known;
  }

  close(): void {
    this.#cancelTrim?.();
    this.#budget.give(this.#touched - firstBlock);
    closeSync(this.fd);
  }

  #touch(end: number): boolean {
    if (end <= this.#touched) return true;
    if (!this.#budget.take(end - this.#touched)) return false;
    this.#touched = end;
    return true;
  }

  /** Memory stays with the file for the next blocks, unless there are none for a while. */
  #trimLater(): void {
    const written = this.#written;
    this.#cancelTrim ??= this.#clock.schedule(idleMs, () => {
      this.#cancelTrim = undefined;
      if (this.#allocator.used > 0) return;
      if (this.#written > written) {
        this.#trimLater();
        return;
      }
      ftruncateSync(this.fd, firstBlock);
      this.#budget.give(this.#touched - firstBlock);
      this.#touched = firstBlock;
    });
  }
}

/** False when the memory is full. */
function writeAll(fd: number, pieces: readonly Uint8Array[], position: number): boolean {
  let at = position;
  try {
    for (const piece of pieces) {
      for (let done = 0; done < piece.byteLength;) {
        const count = writeSync(fd, piece, done, piece.byteLength - done, at + done);
        if (count === 0) return false;
        done += count;
      }
      at += piece.byteLength;
    }
    return true;
  } catch {
    return false;
  }
}
