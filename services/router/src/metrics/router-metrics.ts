import type { Clock } from '@shoal/core';
import {
  type Counter,
  type Family,
  type Histogram,
  type MetricRegistry,
  type TracePlace,
  failureSpec,
  linksSpec,
  shedSpec,
  shortSeconds,
} from '@shoal/telemetry';
import type { Catalog } from '../catalog/catalog';
import type { VersionEntry } from '../catalog/version-entry';
import type { Admission } from '../requests/admission';
import type { Setback } from '../tracing/request-trace';
import type { VersionMeters } from './version-meters';

/** Why a router turned a request away, or gave it up before it ran. */
export type ShedReason = 'admission_requests' | 'admission_bytes' | 'quota' | 'unroutable' | 'deadline' | 'draining';

/** How many links of one kind are open, and how many are still to be. */
export interface LinkCount {
  readonly open: number;
  readonly connecting: number;
}

/** Versions that are recorded before those that are not known any more are looked for. */
const versionsBeforeSweep = 256;

/** What a router tells of its work. */
export class RouterMetrics {
  readonly #registry: MetricRegistry;
  readonly #catalog: Catalog;
  readonly #clock: Clock;
  readonly #duration: Family<Histogram>;
  readonly #failure: Family<Counter>;
  readonly #shed: Family<Counter>;
  readonly #retries: Family<Counter>;
  readonly #known = new Map<string, { readonly model: string; readonly version: string }>();
  readonly #ends: (() => void)[] = [];

  constructor(registry: MetricRegistry, catalog: Catalog, clock: Clock) {
    this.#registry = registry;
    this.#catalog = catalog;
    this.#clock = clock;
    this.#duration = registry.histogram({
      name: 'shoal_request_duration_seconds',
      help: 'Requests that were answered, from their acceptance by the router to the answer.',
      labels: ['model', 'version'],
      buckets: shortSeconds,
    });
    this.#failure = registry.counter(failureSpec);
    this.#shed = registry.counter(shedSpec);
    this.#retries = registry.counter({
      name: 'shoal_request_retries_total',
      help: 'Times that an accepted request came back without an answer, to be offered once more, by cause.',
      labels: ['cause'],
    });
  }

  /** @param acceptedAt Clock time, ms. @param place Where it is recorded, if it is. */
  answered(version: VersionEntry, acceptedAt: number, place: TracePlace | undefined): void {
    this.#of(version).duration.observe((this.#clock.now() - acceptedAt) / 1000, place);
  }

  /** Nobody waits for a request any more. */
  canceled(version: VersionEntry): void {
    this.#of(version).canceled.add(1);
  }

  /** A request failed by what befell links or processes. */
  failed(version: VersionEntry): void {
    this.#of(version).other.add(1);
  }

  /** @param model As it is known here; '' for a request that was not looked at. */
  shed(reason: ShedReason, model: string): void {
    this.#shed.with(reason, model).add(1);
  }

  /** A request came back without an answer, and is offered again unless that was once too often. */
  setBack(why: Setback): void {
    this.#retries.with(why.toLowerCase()).add(1);
  }

  /** Shows what is held. */
  followAdmission(admission: Admission): void {
    this.#gauge(
      'shoal_requests_in_flight',
      'Requests that were accepted and not answered yet.',
      () => admission.requests,
    );
    this.#gauge('shoal_request_bytes_in_flight', 'Bytes that those requests hold.', () => admission.bytes);
  }

  followLinks(role: string, count: () => LinkCount): void {
    this.#ends.push(
      this.#registry.observe('gauge', linksSpec, (sample) => {
        const { open, connecting } = count();
        sample(open, role, 'open');
        sample(connecting, role, 'connecting');
      }),
    );
  }

  close(): void {
    for (const end of this.#ends) end();
  }

  #gauge(name: string, help: string, value: () => number): void {
    this.#ends.push(this.#registry.observe('gauge', { name, help }, (sample) => sample(value())));
  }

  #of(entry: VersionEntry): VersionMeters {
    return (entry.meters ??= this.#bind(entry));
  }

  #bind({ announcement: { model }, version }: VersionEntry): VersionMeters {
    if (this.#known.size >= versionsBeforeSweep) this.#sweep();
    this.#known.set(`${model}/${version}`, { model, version });
    return {
      duration: this.#duration.with(model, version),
      canceled: this.#failure.with(model, version, 'CANCELED'),
      other: this.#failure.with(model, version, 'OTHER'),
    };
  }

  /** Shows no more what nobody can ask for. */
  #sweep(): void {
    for (const [key, { model, version }] of this.#known) {
      if (this.#catalog.entry(model)?.version(version)) continue;
      this.#known.delete(key);
      this.#duration.remove(model, version);
    }
  }
}
