import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { ShoalError } from '@shoal/core';
import type { RemoteBytes } from './bytes';

/** What a part of a file is made of. */
export interface FilePartFields {
  /** The sender's open file. It stays open until the request that names it is settled. */
  readonly fd: number;
  /** Of the file, so that none is taken for another. */
  readonly device: number;
  readonly inode: number;
  /** Bytes. */
  readonly offset: number;
  readonly byteLength: number;
}

/**
 * A part of a file that the sender has open and the receiver opens too: bytes of a client's own shared memory, which
 * then pass neither through the sender nor over the link. Files are read and written with system calls: a client
 * that makes its file shorter meanwhile gets an error.
 */
export class FilePart implements RemoteBytes, FilePartFields {
  readonly fd: number;
  readonly device: number;
  readonly inode: number;
  readonly offset: number;
  readonly byteLength: number;
  /** The sender's process; undefined at the sender. */
  #pid: number | undefined;
  /** What is read and written here: the sender's own descriptor, or the receiver's. */
  #open: number | undefined;

  constructor({ fd, device, inode, offset, byteLength }: FilePartFields, local: boolean) {
    this.fd = fd;
    this.device = device;
    this.inode = inode;
    this.offset = offset;
    this.byteLength = byteLength;
    this.#open = local ? fd : undefined;
  }

  /** The receiver's: says whose descriptor it is. */
  bind(pid: number): void {
    this.#pid = pid;
  }

  /** The receiver's: opens the file. False when it cannot be reached, or is another one by now. `release` must follow. */
  open(access: 'read' | 'write'): boolean {
    if (this.#open !== undefined) return true;
    if (this.#pid === undefined) return false;
    let fd: number | undefined;
    try {
      const mode = access === 'read' ? constants.O_RDONLY : constants.O_RDWR;
      fd = openSync(`/proc/${this.#pid}/fd/${this.fd}`, mode | constants.O_NONBLOCK | constants.O_NOCTTY);
      const stat = fstatSync(fd);
      if (stat.isFile() && stat.dev === this.device && stat.ino === this.inode) {
        this.#open = fd;
        return true;
      }
    } catch {
      // Closed meanwhile, or not ours to open.
    }
    if (fd !== undefined) closeSync(fd);
    return false;
  }

  readInto(target: Uint8Array, at: number): void {
    const { byteLength, offset } = this;
    if (byteLength > target.byteLength - at) throw new RangeError('a part of a file does not fit its target');
    for (let done = 0; done < byteLength;) {
      const count = this.#read(target, at + done, byteLength - done, offset + done);
      if (count === 0) throw shorter();
      done += count;
    }
  }

  /**
   * Writes at the part's beginning, which must be open for it and hold the bytes. False, with nothing written, when the
   * file has become too short.
   */
  write(bytes: Uint8Array): boolean {
    const fd = this.#open;
    if (fd === undefined || bytes.byteLength > this.byteLength)
      throw new RangeError('bytes do not fit a part of a file');
    if (fstatSync(fd).size < this.offset + bytes.byteLength) return false;
    for (let done = 0; done < bytes.byteLength;) {
      done += writeSync(fd, bytes, done, bytes.byteLength - done, this.offset + done);
    }
    return true;
  }

  release(): void {
    const fd = this.#open;
    if (this.#pid === undefined || fd === undefined) return;
    this.#open = undefined;
    closeSync(fd);
  }

  #read(target: Uint8Array, at: number, length: number, position: number): number {
    if (this.#open === undefined) return 0;
    try {
      return readSync(this.#open, target, at, length, position);
    } catch {
      return 0;
    }
  }
}

function shorter(): ShoalError {
  return new ShoalError('INVALID_ARGUMENT', 'shared memory became shorter');
}
