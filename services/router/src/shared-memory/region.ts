import { ShoalError } from '@shoal/core';
import { FilePart } from '@shoal/link';
import { type SharedMemoryReference, errorTexts } from '@shoal/protocol';
import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { regionFileName } from './region-key';

/** As a client registers it; bytes. */
export interface RegionSpec {
  readonly name: string;
  readonly key: string;
  readonly offset: number;
  readonly byteSize: number;
}

const invalid = (text: string): ShoalError => new ShoalError('INVALID_ARGUMENT', text);

/**
 * A piece of a client's shared memory. It is read and written with system calls on an open file, not mapped: a client
 * that makes its file shorter meanwhile then gets an error, where a mapping would end the process.
 */
export class Region {
  readonly spec: RegionSpec;
  readonly #fd: number;
  #users = 1;

  /** @param directory Where shared memory lives: /dev/shm. @throws ShoalError in Triton's words. */
  constructor(spec: RegionSpec, directory: string) {
    const fileName = regionFileName(spec.name, spec.key);
    this.spec = spec;
    this.#fd = openRegion(join(directory, fileName), spec);
    try {
      this.#checkFile(0, spec.byteSize, () =>
        invalid(`failed to register shared memory region '${errorTexts.clip(spec.name)}': invalid args`),
      );
    } catch (thrown) {
      closeSync(this.#fd);
      throw thrown;
    }
  }

  /** Keeps it open for a request even when it is unregistered meanwhile; `release` must follow. */
  retain(): void {
    this.#users += 1;
  }

  release(): void {
    this.#users -= 1;
    if (this.#users === 0) closeSync(this.#fd);
  }

  /** @throws ShoalError INVALID_ARGUMENT when the place is not within the region, or the client's file has shrunk. */
  check({ offset, byteSize }: SharedMemoryReference): void {
    const { name } = this.spec;
    if (offset > Math.max(this.spec.byteSize - 1, 0)) {
      throw invalid(`Invalid offset for shared memory region: '${errorTexts.clip(name)}'`);
    }
    const outside = () => invalid(`Invalid offset + byte size for shared memory region: '${errorTexts.clip(name)}'`);
    if (offset + byteSize > this.spec.byteSize) throw outside();
    this.#checkFile(offset, byteSize, outside);
  }

  /** A copy of the bytes there: the client may change them at any time. Throws as `check`. */
  read(reference: SharedMemoryReference): Buffer {
    this.check(reference);
    const bytes = Buffer.allocUnsafe(reference.byteSize);
    const position = this.spec.offset + reference.offset;
    for (let done = 0; done < bytes.length;) {
      const count = readSync(this.#fd, bytes, done, bytes.length - done, position + done);
      if (count === 0) throw invalid(`shared memory region '${errorTexts.clip(this.spec.name)}' became shorter`);
      done += count;
    }
    return bytes;
  }

  /** The place as part of the file, for a runner of this machine; undefined when the system's numbers are out of reach. */
  part({ offset, byteSize }: SharedMemoryReference): FilePart | undefined {
    const { dev: device, ino: inode } = fstatSync(this.#fd);
    if (!Number.isSafeInteger(device) || !Number.isSafeInteger(inode)) return undefined;
    const fields = { fd: this.#fd, device, inode, offset: this.spec.offset + offset, byteLength: byteSize };
    return new FilePart(fields, true);
  }

  /** Writes at the beginning of the place, which must hold the bytes. Throws as `check`. */
  write(reference: SharedMemoryReference, bytes: Uint8Array): void {
    this.check(reference);
    const position = this.spec.offset + reference.offset;
    for (let done = 0; done < bytes.length;) {
      done += writeSync(this.#fd, bytes, done, bytes.length - done, position + done);
    }
  }

  #checkFile(offset: number, byteSize: number, error: () => ShoalError): void {
    const { size } = fstatSync(this.#fd);
    if (this.spec.offset + offset + byteSize > size) throw error();
  }
}

function openRegion(path: string, { key }: RegionSpec): number {
  let fd: number | undefined;
  try {
    // Neither follows a symbolic link nor waits for the other end of a FIFO.
    fd = openSync(path, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    if (fstatSync(fd).isFile()) return fd;
  } catch {
    // Missing, a link, or not ours to open: the client learns no more than that it did not work.
  }
  if (fd !== undefined) closeSync(fd);
  throw new ShoalError('INTERNAL', `Unable to open shared memory region: '${errorTexts.clip(key)}'`);
}
