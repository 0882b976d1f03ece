/** What a family of metrics is declared as. */
export interface MetricSpec {
  /** As Prometheus has it: lower case, `_`, the base unit, and `_total` where it counts. */
  readonly name: string;
  /** One sentence for who looks at the number. */
  readonly help: string;
  /** Names of the labels, in the order in which their values are given. */
  readonly labels?: readonly string[];
}

export type MetricKind = 'counter' | 'gauge' | 'histogram';

/** One label set of a family, and what is measured of it. */
export interface Labelled<Instrument> {
  readonly values: readonly string[];
  readonly instrument: Instrument;
}

/**
 * Label sets that a family has at most, so that no caller can fill the memory of this process, or of whoever scrapes it. What comes
 * beyond is counted together, in a set whose values are all `other`.
 */
const maxSets = 2_000;

const otherValue = 'other';

/** One metric with all its label sets. To look a set up costs a map's lookup: hot paths do it once and keep the instrument. */
export class Family<Instrument> {
  readonly kind: MetricKind;
  readonly spec: MetricSpec;
  readonly labels: readonly string[];
  readonly #make: () => Instrument;
  readonly #sets = new Map<string, Labelled<Instrument>>();

  constructor(kind: MetricKind, spec: MetricSpec, make: () => Instrument) {
    this.kind = kind;
    this.spec = spec;
    this.labels = spec.labels ?? [];
    this.#make = make;
    if (this.labels.length === 0) this.with();
  }

  /** The instrument of a label set, made when it is first asked for. @param values As many as there are labels. */
  with(...values: readonly string[]): Instrument {
    const key = keyOf(values);
    const known = this.#sets.get(key);
    if (known !== undefined) return known.instrument;
    if (values.length !== this.labels.length) {
      throw new Error(`${this.spec.name} has ${this.labels.length} labels, not ${values.length}`);
    }
    const other = this.labels.map(() => otherValue);
    if (this.#sets.size >= maxSets && key !== keyOf(other)) return this.with(...other);
    const set = { values, instrument: this.#make() };
    this.#sets.set(key, set);
    return set.instrument;
  }

  /** Shows a label set no more; whoever still has its instrument counts for nobody. */
  remove(...values: readonly string[]): void {
    this.#sets.delete(keyOf(values));
  }

  /** The same of all label sets whose first values are these. */
  removeAll(...first: readonly string[]): void {
    for (const [key, { values }] of this.#sets) {
      if (first.every((value, at) => values[at] === value)) this.#sets.delete(key);
    }
  }

  /** In the order in which they came. */
  sets(): Iterable<Labelled<Instrument>> {
    return this.#sets.values();
  }
}

function keyOf(values: readonly string[]): string {
  return values.join('\0');
}
