import { frameHeaderLength, minMaxFrameSize } from './constants';

/** Four DATA frames of the default size and some headers fit into an output buffer. */
export const outputBufferSize = 4 * (minMaxFrameSize + frameHeaderLength) + 1964;
/** 4 MiB at most stay pooled. */
const maxPooled = 64;

const pool: Buffer[] = [];

/** An output buffer of `outputBufferSize`, or larger where more is wanted at once. */
export function takeBuffer(size: number): Buffer {
  if (size > outputBufferSize) return Buffer.allocUnsafeSlow(size);
  return pool.pop() ?? Buffer.allocUnsafeSlow(outputBufferSize);
}

/** Takes a buffer back whose bytes nobody needs any more. */
export function giveBuffer(buffer: Buffer): void {
  if (buffer.length === outputBufferSize && pool.length < maxPooled) pool.push(buffer);
}
