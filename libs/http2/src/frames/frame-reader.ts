import { ConnectionFault } from '../errors';
import { clientPreface, flags, frameHeaderLength, frameTypes, minMaxFrameSize } from './constants';

/**
 * Frames other than DATA are put together in memory, so larger ones are not taken even where DATA may be large: a limit of their types
 * (RFC 9113 §4.2), and the least that every endpoint has to take.
 */
const maxBuffered = minMaxFrameSize;

/** Where frames go. Buffers are lent for the call; positions are into them. */
export interface FrameSink {
  /** A whole frame other than DATA; its payload is `bytes[start..end)`. */
  frame(type: number, frameFlags: number, streamId: number, bytes: Buffer, start: number, end: number): void;
  /** A DATA frame begins. `length` is its whole payload, of which `padding` octets (pad length included) are not data. */
  dataStart(frameFlags: number, streamId: number, length: number, padding: number): void;
  /** Some of its data, never empty. */
  dataChunk(bytes: Buffer, start: number, end: number): void;
  /** All of it has come, padding included. */
  dataEnd(): void;
}

/**
 * Cuts the byte stream of a connection into frames (RFC 9113 §4.1) in place: what lies whole in a chunk is not copied, DATA is handed
 * on as it comes, and only other frames and frame headers that straddle two chunks are put together in a buffer.
 */
export class FrameReader {
  readonly #sink: FrameSink;
  readonly #maxFrameSize: number;
  /** Octets of the client's preface already seen. */
  #prefaceSeen: number;
  /** A frame in pieces: its first `#partialLength` octets. */
  #partial: Buffer | null = null;
  #partialLength = 0;
  /** Of the DATA frame being read: octets of data and of padding to come. */
  #dataLeft = 0;
  #paddingLeft = 0;
  #stopped = false;

  constructor(sink: FrameSink, maxFrameSize: number, expectPreface: boolean) {
    this.#sink = sink;
    this.#maxFrameSize = maxFrameSize;
    this.#prefaceSeen = expectPreface ? 0 : clientPreface.length;
  }

  /** Whether a frame other than DATA has begun and not ended. */
  get midFrame(): boolean {
    return this.#partialLength > 0;
  }

  /** Nothing is read from here on. */
  stop(): void {
    this.#stopped = true;
    this.trim();
  }

  /** Gives the buffer for straddling frames back when it is not in use. */
  trim(): void {
    if (this.#stopped || this.#partialLength === 0) this.#partial = null;
  }

  /** Reads a chunk to its end; throws ConnectionFault. */
  push(chunk: Buffer): void {
    const end = chunk.length;
    let at = this.#prefaceSeen < clientPreface.length ? this.#preface(chunk) : 0;
    while (at < end && !this.#stopped) {
      if (this.#dataLeft > 0 || this.#paddingLeft > 0) at = this.#data(chunk, at, end);
      else if (this.#partialLength > 0) at = this.#complete(chunk, at, end);
      else {
        const next = this.#whole(chunk, at, end);
        if (next < 0) {
          this.#keep(chunk, at, end);
          return;
        }
        at = next;
      }
    }
  }

  #preface(chunk: Buffer): number {
    let at = 0;
    while (at < chunk.length && this.#prefaceSeen < clientPreface.length) {
      if (chunk[at++] !== clientPreface[this.#prefaceSeen++]) {
        throw new ConnectionFault('PROTOCOL_ERROR', 'invalid connection preface');
      }
    }
    return at;
  }

  /** Reads one frame that begins at `at`; -1 when the chunk ends too early. */
  #whole(chunk: Buffer, at: number, end: number): number {
    const available = end - at;
    if (available < frameHeaderLength) return -1;
    const length = this.#payloadLength(chunk, at);
    const payload = at + frameHeaderLength;
    if (chunk[at + 3] === frameTypes.DATA) {
      const headLength = dataHeadLength(chunk, at, length);
      if (available < headLength) return -1;
      this.#dataHead(chunk, at, length);
      return at + headLength;
    }
    if (available < frameHeaderLength + length) return -1;
    this.#sink.frame(chunk[at + 3]!, chunk[at + 4]!, streamIdAt(chunk, at), chunk, payload, payload + length);
    return payload + length;
  }

  /** Goes on with a frame whose beginning lies in `#partial`. */
  #complete(chunk: Buffer, at: number, end: number): number {
    at = this.#fill(chunk, at, end, frameHeaderLength);
    if (this.#partialLength < frameHeaderLength) return at;
    const partial = this.#partial!;
    const length = this.#payloadLength(partial, 0);
    const isData = partial[3] === frameTypes.DATA;
    const wanted = isData ? dataHeadLength(partial, 0, length) : frameHeaderLength + length;
    at = this.#fill(chunk, at, end, wanted);
    if (this.#partialLength < wanted) return at;
    this.#partialLength = 0;
    if (isData) this.#dataHead(partial, 0, length);
    else this.#sink.frame(partial[3]!, partial[4]!, streamIdAt(partial, 0), partial, frameHeaderLength, wanted);
    return at;
  }

  #fill(chunk: Buffer, at: number, end: number, wanted: number): number {
    const count = Math.min(wanted - this.#partialLength, end - at);
    if (count <= 0) return at;
    chunk.copy(this.#partial!, this.#partialLength, at, at + count);
    this.#partialLength += count;
    return at + count;
  }

  #keep(chunk: Buffer, at: number, end: number): void {
    this.#partial ??= Buffer.allocUnsafeSlow(maxBuffered + frameHeaderLength);
    chunk.copy(this.#partial, 0, at, end);
    this.#partialLength = end - at;
  }

  #payloadLength(bytes: Buffer, at: number): number {
    const length = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
    if (length > this.#maxFrameSize)
      throw new ConnectionFault('FRAME_SIZE_ERROR', 'frame above SETTINGS_MAX_FRAME_SIZE');
    if (length > maxBuffered && bytes[at + 3] !== frameTypes.DATA) {
      throw new ConnectionFault('FRAME_SIZE_ERROR', 'large frame other than DATA');
    }
    return length;
  }

  #dataHead(bytes: Buffer, at: number, length: number): void {
    const frameFlags = bytes[at + 4]!;
    let padding = 0;
    if ((frameFlags & flags.PADDED) !== 0) {
      // §6.1: the pad length octet is there, and the padding leaves room for it.
      if (length === 0) throw new ConnectionFault('FRAME_SIZE_ERROR', 'no room for the pad length');
      padding = bytes[at + frameHeaderLength]! + 1;
      if (padding > length) throw new ConnectionFault('PROTOCOL_ERROR', 'padding longer than its frame');
    }
    this.#dataLeft = length - padding;
    this.#paddingLeft = padding > 0 ? padding - 1 : 0;
    this.#sink.dataStart(frameFlags, streamIdAt(bytes, at), length, padding);
    if (this.#dataLeft === 0 && this.#paddingLeft === 0) this.#sink.dataEnd();
  }

  #data(chunk: Buffer, at: number, end: number): number {
    const data = Math.min(this.#dataLeft, end - at);
    if (data > 0) {
      this.#dataLeft -= data;
      this.#sink.dataChunk(chunk, at, at + data);
      at += data;
    }
    if (this.#dataLeft > 0) return at;
    const padding = Math.min(this.#paddingLeft, end - at);
    this.#paddingLeft -= padding;
    if (this.#paddingLeft === 0) this.#sink.dataEnd();
    return at + padding;
  }
}

function streamIdAt(bytes: Buffer, at: number): number {
  return ((bytes[at + 5]! & 0x7f) << 24) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 8) | bytes[at + 8]!;
}

/** A DATA frame can be begun once its header and, where there is one, its pad length are known. */
function dataHeadLength(bytes: Buffer, at: number, length: number): number {
  return frameHeaderLength + ((bytes[at + 4]! & flags.PADDED) !== 0 && length > 0 ? 1 : 0);
}
