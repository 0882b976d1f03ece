const leastCapacity = 16;
const nobody = -1;

/**
 * Values by number (whole, from 0 to 2^53 - 1), for tables whose entries come and go with each request. It does what a Map
 * does, in arrays that stay where they are.
 *
 * A Map in such a place moves to a new table every hundred or so insertions and leaves the old one, entries and all, to
 * the collector. Once one of its tables has become old, so will all later ones, and with them every value that was in the
 * table when it was left: garbage that only a full collection frees. Measured with 64 requests in flight that cost a
 * quarter of the process, and pauses of 10 to 20 ms.
 *
 * Open addressing, linear probing, and deletion by shifting back (Knuth, TAOCP 6.4, algorithm R).
 */
export class IdTable<V> {
  #keys = emptyKeys(leastCapacity);
  #values = emptyValues<V>(leastCapacity);
  #mask = leastCapacity - 1;
  /** Leaves as many high bits of 32 as the capacity has. */
  #shift = Math.clz32(leastCapacity) + 1;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(id: number): V | undefined {
    return this.#values[this.#find(id)];
  }

  has(id: number): boolean {
    return this.#keys[this.#find(id)] === id;
  }

  set(id: number, value: V): void {
    let at = this.#find(id);
    if (this.#keys[at] !== id) {
      if (2 * this.#size > this.#mask) {
        this.#grow();
        at = this.#find(id);
      }
      this.#keys[at] = id;
      this.#size += 1;
    }
    this.#values[at] = value;
  }

  /** Whether there was one. */
  delete(id: number): boolean {
    let hole = this.#find(id);
    if (this.#keys[hole] !== id) return false;
    const mask = this.#mask;
    for (let at = (hole + 1) & mask; this.#keys[at] !== nobody; at = (at + 1) & mask) {
      // An entry may fill the hole unless that would put it before the place where the search for it begins.
      if (((at - this.#home(this.#keys[at] as number)) & mask) < ((at - hole) & mask)) continue;
      this.#keys[hole] = this.#keys[at] as number;
      this.#values[hole] = this.#values[at];
      hole = at;
    }
    this.#keys[hole] = nobody;
    this.#values[hole] = undefined;
    this.#size -= 1;
    return true;
  }

  /** All that are there now, in no order. */
  values(): V[] {
    return this.#values.filter((_, at) => this.#keys[at] !== nobody) as V[];
  }

  clear(): void {
    this.#keys.fill(nobody);
    this.#values.fill(undefined);
    this.#size = 0;
  }

  /**
   * Where the search for an id begins: Fibonacci hashing (TAOCP 6.4), which puts ids that follow one another, as they
   * mostly do, far apart. Side by side they would be one long run of entries, all of which a deletion has to look at.
   */
  #home(id: number): number {
    return Math.imul(id, 0x9e3779b1) >>> this.#shift;
  }

  /** Where the id is, or would be put. */
  #find(id: number): number {
    const mask = this.#mask;
    let at = this.#home(id);
    for (let key = this.#keys[at]; key !== id && key !== nobody; key = this.#keys[at]) at = (at + 1) & mask;
    return at;
  }

  #grow(): void {
    const keys = this.#keys;
    const values = this.#values;
    const capacity = 2 * keys.length;
    this.#keys = emptyKeys(capacity);
    this.#values = emptyValues(capacity);
    this.#mask = capacity - 1;
    this.#shift -= 1;
    for (let old = 0; old < keys.length; old += 1) {
      const key = keys[old] as number;
      if (key === nobody) continue;
      const at = this.#find(key);
      this.#keys[at] = key;
      this.#values[at] = values[old];
    }
  }
}

function emptyKeys(capacity: number): Float64Array {
  return new Float64Array(capacity).fill(nobody);
}

function emptyValues<V>(capacity: number): (V | undefined)[] {
  return new Array<V | undefined>(capacity).fill(undefined);
}
