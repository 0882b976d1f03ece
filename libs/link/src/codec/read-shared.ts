import type { Free, Share } from '../carrier-messages';
import { FilePart } from '../file-part';
import type { OutputPlace } from '../messages';
import { Block } from '../shared/block';
import { shareStates, word } from './names';
import { nested, type WireReader } from './wire-reader';

const noBytes = Buffer.alloc(0);

/** Reads a `Share`; the nonce is a view of the frame. */
export function readShare(reader: WireReader): Share {
  let state = 0;
  let pid = 0;
  let fd = 0;
  let size = 0;
  let nonce = noBytes;
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x08) state = reader.uint();
    else if (tag === 0x10) pid = reader.uint();
    else if (tag === 0x18) fd = reader.uint();
    else if (tag === 0x20) size = reader.uint();
    else if (tag === 0x2a) nonce = reader.bytes();
    else reader.skip(tag);
  }
  return { kind: 'share', state: word(shareStates, state, 'state of shared memory'), pid, fd, size, nonce };
}

/** Reads a `Free`. */
export function readFree(reader: WireReader): Free {
  const offsets: number[] = [];
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x0a) reader.uints(offsets);
    else if (tag === 0x08) offsets.push(reader.uint());
    else reader.skip(tag);
  }
  return { kind: 'free', offsets };
}

/** Reads a `Block`. */
export function readBlock(reader: WireReader): Block {
  let offset = 0;
  let length = 0;
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x08) offset = reader.uint();
    else if (tag === 0x10) length = reader.uint();
    else reader.skip(tag);
  }
  return new Block(offset, length);
}

/** Reads a `FilePart`. */
export function readFilePart(reader: WireReader): FilePart {
  let fd = 0;
  let device = 0;
  let inode = 0;
  let offset = 0;
  let byteLength = 0;
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x08) fd = reader.uint();
    else if (tag === 0x10) device = reader.uint();
    else if (tag === 0x18) inode = reader.uint();
    else if (tag === 0x20) offset = reader.uint();
    else if (tag === 0x28) byteLength = reader.uint();
    else reader.skip(tag);
  }
  return new FilePart({ fd, device, inode, offset, byteLength }, false);
}

/** Reads an `OutputPlace`. */
export function readPlace(reader: WireReader): OutputPlace {
  let file = new FilePart({ fd: 0, device: 0, inode: 0, offset: 0, byteLength: 0 }, false);
  let region = '';
  let offset = 0;
  while (reader.more()) {
    const tag = reader.tag();
    if (tag === 0x0a) file = nested(reader, readFilePart);
    else if (tag === 0x12) region = reader.string();
    else if (tag === 0x18) offset = reader.uint();
    else reader.skip(tag);
  }
  return { file, region, offset };
}
