import {
  type Counter,
  type Family,
  type Histogram,
  type MetricRegistry,
  clientCallMeters,
  longSeconds,
} from '@shoal/telemetry';
import { ShoalError } from '@shoal/core';
import { methods } from '../methods/methods';
import { type PredictionMeters, predictionPaths } from '../perturbing/prediction-stream';

/** What explanations are counted by. */
export class ExplainMetrics {
  readonly predictions: PredictionMeters;
  readonly #explanations: Family<Counter>;
  readonly #duration: Family<Histogram>;
  readonly #evaluations: Family<Counter>;
  readonly #registry: MetricRegistry;
  #end: () => void = () => undefined;

  constructor(registry: MetricRegistry) {
    this.#registry = registry;
    const meterOf = clientCallMeters(registry);
    this.predictions = { single: meterOf(predictionPaths.single), stream: meterOf(predictionPaths.stream) };
    this.#explanations = registry.counter({
      name: 'shoal_explanations_total',
      help: 'Explanations of single rows that were made, and calls that failed, by method and status.',
      labels: ['method', 'status'],
    });
    this.#duration = registry.histogram({
      name: 'shoal_explanation_duration_seconds',
      help: 'How long explanations took that were made.',
      labels: ['method'],
      buckets: longSeconds,
    });
    this.#evaluations = registry.counter({
      name: 'shoal_explanation_evaluations_total',
      help: 'Rows that models were asked for to explain others.',
      labels: ['method'],
    });
  }

  /** Shows how many calls are being worked on. */
  follow(running: () => number): void {
    this.#end = this.#registry.observe(
      'gauge',
      { name: 'shoal_explanations_in_progress', help: 'Calls for explanations that are being worked on.' },
      (sample) => sample(running()),
    );
  }

  close(): void {
    this.#end();
  }

  /** A row was explained. */
  explained(method: string, ms: number): void {
    this.#explanations.with(method, 'OK').add(1);
    this.#duration.with(method).observe(ms / 1000);
  }

  /** @param rows Rows that the model was asked for. */
  evaluated(method: string, rows: number): void {
    this.#evaluations.with(method).add(rows);
  }

  /** A call got no explanation. @param method As the caller names it; absent: none. */
  failed(method: string | undefined, thrown: unknown): void {
    const status = thrown instanceof ShoalError ? thrown.code : 'INTERNAL';
    this.#explanations.with(labelOf(method), status).add(1);
  }
}

/** Whoever calls may name what he likes. */
function labelOf(method: string | undefined): string {
  if (method === undefined || method === 'auto') return 'auto';
  return methods.some(({ name }) => name === method) ? method : 'unknown';
}
