import { ConnectionFault } from '../errors';
import { defaultHeaderTable } from '../frames/constants';
import type { HeaderField } from './header-field';
import { staticTable } from './static-table';

/** The decoder's index space (RFC 7541 §2.3): the static table, then the newest entry of the dynamic one. */
export class DynamicTable {
  /** Grows with every change: whoever remembers a decoded block remembers the generation with it. */
  generation = 0;
  readonly #ring: (HeaderField | null)[];
  readonly #mask: number;
  #next = 0;
  #count = 0;
  #size = 0;
  #limit: number;

  /** @param capacity the SETTINGS_HEADER_TABLE_SIZE we announced, in HPACK octets */
  constructor(capacity: number) {
    // An entry counts at least 32 octets.
    const slots = 2 ** Math.ceil(Math.log2(capacity / 32 + 1));
    this.#ring = new Array<HeaderField | null>(slots).fill(null);
    this.#mask = slots - 1;
    // More is used only after the encoder has said so.
    this.#limit = Math.min(capacity, defaultHeaderTable);
  }

  /** Octets in use, by HPACK's count. */
  get size(): number {
    return this.#size;
  }

  get(index: number): HeaderField {
    if (index === 0) throw new ConnectionFault('COMPRESSION_ERROR', 'index 0');
    if (index < staticTable.length) return staticTable[index]!;
    const age = index - staticTable.length;
    if (age >= this.#count) throw new ConnectionFault('COMPRESSION_ERROR', 'index beyond the table');
    return this.#ring[(this.#next - 1 - age) & this.#mask]!;
  }

  /** Adds an entry, evicting the oldest ones; one that is larger than the table empties it (§4.4). */
  insert(field: HeaderField): void {
    this.generation++;
    this.#evictTo(this.#limit - field.size);
    if (field.size > this.#limit) return;
    this.#ring[this.#next] = field;
    this.#next = (this.#next + 1) & this.#mask;
    this.#count++;
    this.#size += field.size;
  }

  resize(limit: number): void {
    this.generation++;
    this.#limit = limit;
    this.#evictTo(limit);
  }

  #evictTo(size: number): void {
    while (this.#count > 0 && this.#size > size) {
      const oldest = (this.#next - this.#count) & this.#mask;
      this.#size -= this.#ring[oldest]!.size;
      this.#ring[oldest] = null;
      this.#count--;
    }
  }
}
