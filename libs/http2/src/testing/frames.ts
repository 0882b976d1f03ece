import { flags, frameTypes } from '../frames/constants';
import { writeFrameHeader } from '../frames/output';
import { HpackEncoder } from '../hpack/encoder';
import { PreparedHeaders } from '../hpack/prepared-headers';

/** A frame as bytes. */
export function frame(type: number, frameFlags: number, streamId: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const bytes = Buffer.alloc(9 + payload.length);
  writeFrameHeader(bytes, 0, payload.length, type, frameFlags, streamId);
  payload.copy(bytes, 9);
  return bytes;
}

/** A payload of one 32-bit word. */
export function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

/** SETTINGS of some pairs. */
export function settings(...pairs: [number, number][]): Buffer {
  const payload = Buffer.alloc(pairs.length * 6);
  pairs.forEach(([id, value], i) => {
    payload.writeUInt16BE(id, i * 6);
    payload.writeUInt32BE(value, i * 6 + 2);
  });
  return frame(frameTypes.SETTINGS, 0, 0, payload);
}

/** A header block that enters nothing into the peer's table. */
export function block(...pairs: string[]): Buffer {
  const encoder = new HpackEncoder();
  encoder.peerTableSize = 0;
  const prepared = new PreparedHeaders(pairs);
  const out = Buffer.alloc(prepared.maxBytes + 8);
  return out.subarray(1, encoder.encode(out, 0, prepared, null)); // without the size update
}

/** Request headers of one frame. */
export function request(streamId: number, ends: boolean, path = '/', ...more: string[]): Buffer {
  const payload = block(':method', 'POST', ':scheme', 'http', ':path', path, ':authority', 'here', ...more);
  return frame(frameTypes.HEADERS, flags.END_HEADERS | (ends ? flags.END_STREAM : 0), streamId, payload);
}
