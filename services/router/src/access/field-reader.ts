import { nearest } from '@shoal/config';
import { ShoalError } from '@shoal/core';

/** A value of a JSON file and its place there, as `tenants[0].keys[1].sha256`. */
export class Field {
  readonly #value: unknown;
  readonly place: string;

  constructor(value: unknown, place: string) {
    this.#value = value;
    this.place = place;
  }

  get given(): boolean {
    return this.#value !== undefined;
  }

  get isObject(): boolean {
    return typeof this.#value === 'object' && this.#value !== null && !Array.isArray(this.#value);
  }

  /** The fields of an object. @throws ShoalError INVALID_ARGUMENT for what is none, and for one that is not known. */
  fields<Name extends string>(...known: readonly Name[]): Readonly<Record<Name, Field>> {
    if (!this.isObject) throw this.wrong('an object');
    const values = this.#value as Readonly<Record<string, unknown>>;
    for (const name of Object.keys(values)) {
      if ((known as readonly string[]).includes(name)) continue;
      const near = nearest(name.slice(0, 100), known);
      const hint = near === undefined ? `expected ${known.join(', ')}` : `did you mean ${near}?`;
      throw this.#at(`unknown field '${name.slice(0, 100)}': ${hint}`);
    }
    const entries = known.map((name) => {
      const value = Object.hasOwn(values, name) ? values[name] : undefined;
      return [name, new Field(value, this.place === '' ? name : `${this.place}.${name}`)];
    });
    return Object.fromEntries(entries) as Record<Name, Field>;
  }

  /** @throws ShoalError INVALID_ARGUMENT, also when there are fewer than `least`. */
  list(least: number): readonly Field[] {
    if (!Array.isArray(this.#value) || this.#value.length < least) {
      throw this.wrong(least === 0 ? 'a list' : `a list of at least ${least}`);
    }
    return this.#value.map((value, i) => new Field(value, `${this.place}[${i}]`));
  }

  /** @throws ShoalError INVALID_ARGUMENT */
  text(pattern: RegExp, expected: string): string {
    if (typeof this.#value !== 'string' || !pattern.test(this.#value)) throw this.wrong(expected);
    return this.#value;
  }

  /** @throws ShoalError INVALID_ARGUMENT */
  number(accepts: (value: number) => boolean, expected: string): number {
    if (typeof this.#value !== 'number' || !accepts(this.#value)) throw this.wrong(expected);
    return this.#value;
  }

  /** Values are not repeated: somebody may have put a key where its digest belongs. */
  wrong(expected: string): ShoalError {
    return this.#at(this.given ? `expected ${expected}` : `is missing: expected ${expected}`);
  }

  #at(text: string): ShoalError {
    return new ShoalError('INVALID_ARGUMENT', this.place === '' ? text : `${this.place}: ${text}`);
  }
}
