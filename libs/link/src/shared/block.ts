import type { RemoteBytes } from '../bytes';
import { malformed } from '../codec/wire-reader';

/** Where received blocks are read: the other end's memory. */
export interface BlockSource {
  read(block: Block, target: Uint8Array, at: number): void;
  /** The block's place may be used anew. */
  done(block: Block): void;
}

/** Bytes in a link's shared memory: on the wire only where they lie. */
export class Block implements RemoteBytes {
  readonly offset: number;
  readonly byteLength: number;
  #source: BlockSource | undefined;

  constructor(offset: number, byteLength: number) {
    this.offset = offset;
    this.byteLength = byteLength;
  }

  /** Says where it is read. */
  bind(source: BlockSource): void {
    this.#source = source;
  }

  readInto(target: Uint8Array, at: number): void {
    if (!this.#source) throw malformed('a block that is not there any more');
    this.#source.read(this, target, at);
  }

  release(): void {
    const source = this.#source;
    this.#source = undefined;
    source?.done(this);
  }
}
