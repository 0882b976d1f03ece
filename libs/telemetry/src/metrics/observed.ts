import type { MetricSpec } from './family';

/** Told the value of a label set. */
export type Sample = (value: number, ...labels: readonly string[]) => void;

/** Tells all that there is to be seen of a metric. */
export type Observe = (sample: Sample) => void;

/** A metric that is read from what it describes, when somebody looks. */
export class ObservedFamily {
  readonly kind: 'counter' | 'gauge';
  readonly spec: MetricSpec;
  readonly labels: readonly string[];
  readonly #sources = new Set<Observe>();

  constructor(kind: 'counter' | 'gauge', spec: MetricSpec) {
    this.kind = kind;
    this.spec = spec;
    this.labels = spec.labels ?? [];
  }

  /** @returns what takes the source away. */
  add(observe: Observe): () => void {
    this.#sources.add(observe);
    return () => this.#sources.delete(observe);
  }

  /** Each label set once. */
  sets(): Iterable<{ readonly values: readonly string[]; readonly instrument: { readonly value: number } }> {
    const sets = new Map<string, { values: readonly string[]; instrument: { value: number } }>();
    const sample: Sample = (value, ...values) => {
      const key = values.join('\0');
      const known = sets.get(key);
      if (known === undefined) sets.set(key, { values, instrument: { value } });
      else known.instrument.value += value;
    };
    for (const observe of this.#sources) observe(sample);
    return sets.values();
  }
}
