import { writeInteger } from './integer';
import type { HeaderPairs, PreparedHeaders } from './prepared-headers';
import { staticFields, staticNames, staticTable } from './static-table';

/** Octets, by HPACK's count, that we let the peer's table hold: the protocol's default, whatever more it may allow. */
const maxTableSize = 4096;
/** Prepared lists remembered per connection; a user that prepares one per call gains nothing and costs no more than this. */
const maxRemembered = 256;
/** Never to be put into any table, not even by proxies on the way (RFC 7541 §7.1.3). */
const sensitive = new Set(['authorization', 'cookie', 'proxy-authorization', 'set-cookie']);

const indexed = 0x80;
const withIndexing = 0x40;
const sizeUpdate = 0x20;
const neverIndexed = 0x10;
const withoutIndexing = 0x00;

/**
 * Encodes header blocks of one connection. Fields of prepared lists enter the peer's table until it is full; nothing is ever
 * evicted, so an entry's index follows from how many came after it. Strings are sent without Huffman coding: most are sent once.
 */
export class HpackEncoder {
  #tableLimit = maxTableSize;
  #tableSize = 0;
  #inserts = 0;
  /** Insertion number of each field in the peer's table. */
  readonly #entries = new Map<string, number>();
  /** Lists in their all-indexed form, valid until the next insertion moves the indices. */
  readonly #remembered = new Map<PreparedHeaders, { bytes: Buffer; inserts: number }>();
  #announceSize = false;

  /** The peer's SETTINGS_HEADER_TABLE_SIZE. A smaller table starts empty again (RFC 7541 §4.2). */
  set peerTableSize(size: number) {
    const limit = Math.min(size, maxTableSize);
    if (limit >= this.#tableLimit && !this.#announceSize) return;
    this.#tableLimit = limit;
    this.#announceSize = true;
    this.#tableSize = 0;
    this.#entries.clear();
    this.#remembered.clear();
  }

  /** Writes one block and returns the position behind it. `out` has room for both lists' measure and 8 bytes more. */
  encode(out: Buffer, at: number, prepared: PreparedHeaders | null, pairs: HeaderPairs | null): number {
    if (this.#announceSize) at = this.#writeSizeUpdates(out, at);
    if (prepared !== null) at = this.#encodePrepared(out, at, prepared);
    if (pairs !== null) {
      for (let i = 0; i < pairs.length; i += 2) {
        const name = pairs[i]!;
        const first = sensitive.has(name) ? neverIndexed : withoutIndexing;
        at = writeLiteral(out, at, name, pairs[i + 1]!, first, 15);
      }
    }
    return at;
  }

  #encodePrepared(out: Buffer, at: number, prepared: PreparedHeaders): number {
    const known = this.#remembered.get(prepared);
    if (known !== undefined && known.inserts === this.#inserts) return copy(known.bytes, out, at);
    const before = this.#inserts;
    const { pairs } = prepared;
    const start = at;
    for (let i = 0; i < pairs.length; i += 2) at = this.#encodeField(out, at, pairs[i]!, pairs[i + 1]!);
    if (before === this.#inserts) {
      if (this.#remembered.size >= maxRemembered) this.#remembered.clear();
      this.#remembered.set(prepared, { bytes: Buffer.from(out.subarray(start, at)), inserts: before });
    }
    return at;
  }

  #encodeField(out: Buffer, at: number, name: string, value: string): number {
    const key = `${name}:${value}`;
    const fixed = staticFields.get(key);
    if (fixed !== undefined) return writeInteger(out, at, fixed, 127, indexed);
    const inserted = this.#entries.get(key);
    if (inserted !== undefined) {
      const index = staticTable.length + this.#inserts - inserted - 1;
      return writeInteger(out, at, index, 127, indexed);
    }
    if (sensitive.has(name)) return writeLiteral(out, at, name, value, neverIndexed, 15);
    const size = name.length + value.length + 32;
    if (this.#tableSize + size > this.#tableLimit) return writeLiteral(out, at, name, value, withoutIndexing, 15);
    this.#tableSize += size;
    this.#entries.set(key, this.#inserts++);
    return writeLiteral(out, at, name, value, withIndexing, 63);
  }

  #writeSizeUpdates(out: Buffer, at: number): number {
    this.#announceSize = false;
    // Down to nothing first: that is below every value the peer may have set since the last block, and empties its table.
    out[at++] = sizeUpdate;
    return this.#tableLimit > 0 ? writeInteger(out, at, this.#tableLimit, 31, sizeUpdate) : at;
  }
}

function writeLiteral(out: Buffer, at: number, name: string, value: string, first: number, prefixMax: number): number {
  const nameIndex = staticNames.get(name);
  if (nameIndex !== undefined) at = writeInteger(out, at, nameIndex, prefixMax, first);
  else {
    out[at++] = first;
    at = writeString(out, at, name);
  }
  return writeString(out, at, value);
}

function writeString(out: Buffer, at: number, text: string): number {
  at = writeInteger(out, at, text.length, 127, 0);
  return at + out.write(text, at, 'latin1');
}

function copy(bytes: Uint8Array, out: Uint8Array, at: number): number {
  // Blocks are a dozen bytes: a loop is faster than a call into native code.
  for (let i = 0; i < bytes.length; i++) out[at + i] = bytes[i]!;
  return at + bytes.length;
}
