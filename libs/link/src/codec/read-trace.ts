import { traceBytes } from '../messages';
import type { WireReader } from './wire-reader';

/** Reads a place in a trace: a copy, as it outlives the frame. What has another length is none. */
export function readTrace(reader: WireReader): Uint8Array | undefined {
  const bytes = reader.bytes();
  return bytes.length === traceBytes ? Buffer.from(bytes) : undefined;
}
