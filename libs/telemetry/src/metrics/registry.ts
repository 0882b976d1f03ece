import type { Clock } from '@shoal/core';
import { Counter } from './counter';
import { Family, type MetricKind, type MetricSpec } from './family';
import { Gauge } from './gauge';
import { Histogram } from './histogram';
import { ObservedFamily, type Observe } from './observed';

export interface HistogramSpec extends MetricSpec {
  /** Upper bounds, ascending, without infinity. */
  readonly buckets: readonly number[];
}

/** Anything that can be rendered. */
export type AnyFamily = Family<Counter> | Family<Gauge> | Family<Histogram> | ObservedFamily;

/**
 * The metrics of one process. Instruments are plain numbers, so that recording costs next to nothing; who wants to see them reads all of
 * them. Services of one process share it: a metric that several of them declare is one.
 */
export class MetricRegistry {
  readonly #clock: Clock;
  readonly #families = new Map<string, AnyFamily>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  counter(spec: MetricSpec): Family<Counter> {
    return this.#declare('counter', spec, () => new Family('counter', spec, () => new Counter()));
  }

  gauge(spec: MetricSpec): Family<Gauge> {
    return this.#declare('gauge', spec, () => new Family('gauge', spec, () => new Gauge()));
  }

  histogram(spec: HistogramSpec): Family<Histogram> {
    const { buckets } = spec;
    return this.#declare(
      'histogram',
      spec,
      () => new Family('histogram', spec, () => new Histogram(buckets, this.#clock)),
    );
  }

  /**
   * A number that is there already, read when somebody looks. Where several sources tell of one label set, it is their sum.
   * @returns what ends that.
   */
  observe(kind: 'counter' | 'gauge', spec: MetricSpec, observe: Observe): () => void {
    return this.#declare(kind, spec, () => new ObservedFamily(kind, spec)).add(observe);
  }

  /** By name. */
  families(): AnyFamily[] {
    return [...this.#families.values()].toSorted((a, b) => (a.spec.name < b.spec.name ? -1 : 1));
  }

  #declare<F extends AnyFamily>(kind: MetricKind, spec: MetricSpec, make: () => F): F {
    const known = this.#families.get(spec.name);
    if (known !== undefined) {
      const same = known.kind === kind && known.labels.join() === (spec.labels ?? []).join();
      if (!same) throw new Error(`${spec.name} is declared twice, and differently`);
      return known as F;
    }
    const family = make();
    this.#families.set(spec.name, family);
    return family;
  }
}
