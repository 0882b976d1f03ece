import { ConnectionFault } from './errors';
import { flags } from './frames/constants';

/** Puts a header block together from a HEADERS frame and the CONTINUATION frames behind it (RFC 9113 §4.3, §6.2, §6.10). */
export class HeaderAssembly {
  /** The stream whose block is incomplete, 0 for none: only its CONTINUATION may come next. */
  openStream = 0;
  /** Of the complete block: where it is, and what its HEADERS frame said. */
  bytes: Buffer = nothing;
  start = 0;
  end = 0;
  endStream = false;
  /** Its priority field names the stream itself. */
  selfDependent = false;
  #continuations = 0;
  readonly #maxBlock: number;
  readonly #maxContinuations: number;

  constructor(maxBlock: number, maxContinuations: number) {
    this.#maxBlock = maxBlock;
    this.#maxContinuations = maxContinuations;
  }

  /** Takes a HEADERS frame; true when its block is complete. */
  headers(frameFlags: number, streamId: number, bytes: Buffer, start: number, end: number): boolean {
    if ((frameFlags & flags.PADDED) !== 0) {
      if (start === end) throw new ConnectionFault('FRAME_SIZE_ERROR', 'no room for the pad length');
      end -= bytes[start]!;
      start++;
      if (end < start) throw new ConnectionFault('PROTOCOL_ERROR', 'padding longer than its frame');
    }
    this.selfDependent = false;
    if ((frameFlags & flags.PRIORITY) !== 0) {
      if (end - start < 5) throw new ConnectionFault('FRAME_SIZE_ERROR', 'no room for the priority');
      this.selfDependent = (bytes.readUInt32BE(start) & 0x7fffffff) === streamId;
      start += 5;
    }
    if (end - start > this.#maxBlock) throw new ConnectionFault('ENHANCE_YOUR_CALM', 'header block too large');
    this.endStream = (frameFlags & flags.END_STREAM) !== 0;
    if ((frameFlags & flags.END_HEADERS) !== 0) {
      this.bytes = bytes;
      this.start = start;
      this.end = end;
      return true;
    }
    this.openStream = streamId;
    this.#continuations = 0;
    this.bytes = Buffer.allocUnsafe(Math.min(this.#maxBlock, Math.max(4096, (end - start) * 2)));
    this.start = 0;
    this.end = bytes.copy(this.bytes, 0, start, end);
    return false;
  }

  /** Takes a CONTINUATION frame; true when the block is complete. */
  continuation(frameFlags: number, bytes: Buffer, start: number, end: number): boolean {
    if (this.openStream === 0) throw new ConnectionFault('PROTOCOL_ERROR', 'CONTINUATION without HEADERS');
    const length = this.end + end - start;
    // CVE-2024-27316: bounded before anything is decoded.
    if (++this.#continuations > this.#maxContinuations || length > this.#maxBlock) {
      throw new ConnectionFault('ENHANCE_YOUR_CALM', 'header block too large');
    }
    if (length > this.bytes.length) {
      const larger = Buffer.allocUnsafe(Math.min(this.#maxBlock, length * 2));
      this.bytes.copy(larger, 0, 0, this.end);
      this.bytes = larger;
    }
    this.end += bytes.copy(this.bytes, this.end, start, end);
    if ((frameFlags & flags.END_HEADERS) === 0) return false;
    this.openStream = 0;
    return true;
  }

  /** Forgets the block's bytes: they belong to somebody else. */
  done(): void {
    this.bytes = nothing;
  }
}

const nothing = Buffer.alloc(0);
