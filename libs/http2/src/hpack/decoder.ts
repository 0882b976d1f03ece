import { ConnectionFault } from '../errors';
import { BlockCache } from './block-cache';
import { DynamicTable } from './dynamic-table';
import { HeaderBlock } from './header-block';
import { HeaderField } from './header-field';
import { decodeHuffman } from './huffman';

/** Longest integer continuation that is read: 2^28 is far above every index, size and length we accept. */
const maxIntegerShift = 21;

/** Decodes header blocks of one connection (RFC 7541 §3). Every fault is a COMPRESSION_ERROR of the connection. */
export class HpackDecoder {
  readonly #capacity: number;
  readonly #maxListSize: number;
  readonly #table: DynamicTable;
  readonly #cache = new BlockCache();
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #end = 0;

  /**
   * @param capacity the SETTINGS_HEADER_TABLE_SIZE we announced
   * @param maxListSize HPACK octets of a list beyond which it is decoded but not kept
   */
  constructor(capacity: number, maxListSize: number) {
    this.#capacity = capacity;
    this.#maxListSize = maxListSize;
    this.#table = new DynamicTable(capacity);
  }

  /** Octets the dynamic table holds now, by HPACK's count. */
  get tableSize(): number {
    return this.#table.size;
  }

  /** Decodes one whole block, `bytes[start..end)`; nothing of the buffer is kept. */
  decode(bytes: Buffer, start: number, end: number): HeaderBlock {
    const { generation } = this.#table;
    const known = this.#cache.find(bytes, start, end, generation);
    if (known !== null) return known;
    const block = new HeaderBlock();
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    let first = true;
    while (this.#at < end) {
      const octet = bytes[this.#at++]!;
      if ((octet & 0xe0) === 0x20) {
        if (!first) throw new ConnectionFault('COMPRESSION_ERROR', 'table size update inside a block'); // §4.2
        this.#resize(this.#integer(octet & 0x1f, 0x1f));
        continue;
      }
      first = false;
      block.add(this.#field(octet), this.#maxListSize);
    }
    // A block that changed the table means something else the next time.
    if (generation === this.#table.generation) this.#cache.remember(bytes, start, end, generation, block);
    return block;
  }

  #field(octet: number): HeaderField {
    if ((octet & 0x80) !== 0) return this.#table.get(this.#integer(octet & 0x7f, 0x7f)); // §6.1 indexed
    if ((octet & 0x40) === 0) return this.#literal(octet & 0x0f, 0x0f); // §6.2.2, §6.2.3 not indexed
    const field = this.#literal(octet & 0x3f, 0x3f); // §6.2.1 with incremental indexing
    this.#table.insert(field);
    return field;
  }

  #literal(prefix: number, prefixMax: number): HeaderField {
    const index = this.#integer(prefix, prefixMax);
    const name = index === 0 ? this.#string() : this.#table.get(index).name;
    return new HeaderField(name, this.#string());
  }

  #resize(limit: number): void {
    if (limit > this.#capacity) throw new ConnectionFault('COMPRESSION_ERROR', 'table size above the setting'); // §6.3
    this.#table.resize(limit);
  }

  #integer(prefix: number, prefixMax: number): number {
    if (prefix < prefixMax) return prefix;
    let value = prefix;
    for (let shift = 0; ; shift += 7) {
      if (this.#at >= this.#end) throw new ConnectionFault('COMPRESSION_ERROR', 'block ends inside an integer');
      if (shift > maxIntegerShift) throw new ConnectionFault('COMPRESSION_ERROR', 'integer too large');
      const octet = this.#bytes[this.#at++]!;
      value += (octet & 0x7f) << shift;
      if ((octet & 0x80) === 0) return value;
    }
  }

  #string(): string {
    if (this.#at >= this.#end) throw new ConnectionFault('COMPRESSION_ERROR', 'block ends before a string');
    const octet = this.#bytes[this.#at++]!;
    const length = this.#integer(octet & 0x7f, 0x7f);
    const start = this.#at;
    if (length > this.#end - start) throw new ConnectionFault('COMPRESSION_ERROR', 'string longer than its block');
    this.#at = start + length;
    if ((octet & 0x80) !== 0) return decodeHuffman(this.#bytes, start, this.#at);
    return this.#bytes.toString('latin1', start, this.#at);
  }
}
