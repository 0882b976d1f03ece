import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import type { ShoalError } from '@shoal/core';
import { malformed } from '../codec/wire-reader';
import type { Block, BlockSource } from './block';
import { firstBlock, nonceBytes } from './shared-file';

/** How a process names a file that it has open to another one of the same machine; it needs no name in a folder. */
export interface OpenFile {
  readonly pid: number;
  readonly fd: number;
}

/** The path under which a process of the same machine and user may open it. */
export function pathOf({ pid, fd }: OpenFile): string {
  return `/proc/${pid}/fd/${fd}`;
}

/** As much as a message may have. */
const maxBlockBytes = 2 ** 31 - 1;

export interface SharedViewEvents {
  /** A block was read, or is not wanted: the other end may use its place. */
  done(block: Block): void;
  /** The other end broke its word. */
  broken(error: ShoalError): void;
}

/** The other end's memory, read with system calls: what it does with its file can be an error here, and no more. */
export class SharedView implements BlockSource {
  readonly #fd: number;
  readonly #size: number;
  /** As far as the file has been seen to reach. */
  #fileEnd = 0;
  readonly #events: SharedViewEvents;
  /** Offsets of the blocks that are to be released. */
  readonly #held = new Set<number>();
  #over = false;

  private constructor(fd: number, size: number, events: SharedViewEvents) {
    this.#fd = fd;
    this.#size = size;
    this.#events = events;
  }

  /** Opens the file and makes sure that it is the one that is meant; undefined when it is not, or out of reach. */
  static open(file: OpenFile, size: number, nonce: Uint8Array, events: SharedViewEvents): SharedView | undefined {
    let fd: number | undefined;
    try {
      fd = openSync(pathOf(file), constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
      const there = Buffer.alloc(nonceBytes);
      if (fstatSync(fd).isFile() && readSync(fd, there, 0, nonceBytes, 0) === nonceBytes && there.equals(nonce)) {
        return new SharedView(fd, size, events);
      }
    } catch {
      // Another machine, another container, another user.
    }
    if (fd !== undefined) closeSync(fd);
    return undefined;
  }

  /** Takes a block that was received; it must be released. @throws ShoalError DATA_LOSS when there can be no such block. */
  take(block: Block): void {
    const { offset, byteLength } = block;
    const end = offset + byteLength;
    // The file grows, and is made shorter only when nothing in it is in use.
    if (end > this.#fileEnd && end <= this.#size) this.#fileEnd = fstatSync(this.#fd).size;
    if (
      byteLength === 0 ||
      byteLength > maxBlockBytes ||
      offset < firstBlock ||
      end > Math.min(this.#size, this.#fileEnd)
    ) {
      throw malformed('a block outside the shared memory');
    }
    if (this.#held.has(offset)) throw malformed('a block that is in use');
    this.#held.add(offset);
    block.bind(this);
  }

  read({ offset, byteLength }: Block, target: Uint8Array, at: number): void {
    if (byteLength > target.byteLength - at) throw new RangeError('a block does not fit its target');
    for (let done = 0; done < byteLength;) {
      const count = this.#read(target, at + done, byteLength - done, offset + done);
      if (count === 0) {
        const error = malformed('a block beyond the end of the shared memory');
        this.#events.broken(error);
        throw error;
      }
      done += count;
    }
  }

  done(block: Block): void {
    this.#held.delete(block.offset);
    if (this.#over) this.#closeIfUnused();
    else this.#events.done(block);
  }

  /** The link is over. The file is closed when the last block that was received is released. */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#closeIfUnused();
  }

  #read(target: Uint8Array, at: number, length: number, position: number): number {
    try {
      return readSync(this.#fd, target, at, length, position);
    } catch {
      return 0;
    }
  }

  #closeIfUnused(): void {
    if (this.#held.size === 0) closeSync(this.#fd);
  }
}
