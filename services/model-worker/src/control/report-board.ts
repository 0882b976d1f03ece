import { isDeepStrictEqual } from 'node:util';
import { type Bus, type ModelReport, type Replicas, reportsPrefix } from '@shoal/bus';

/** What serving a model takes here, or why it cannot be. */
export interface ModelFacts {
  readonly refusal?: { readonly code: string; readonly message: string };
  readonly memoryBytes: number;
  readonly gpu: boolean;
  readonly replicas?: Replicas;
}

/** This worker's reports. */
export class ReportBoard {
  readonly #bus: Bus;
  readonly #worker: string;
  readonly #reports = new Map<string, ModelReport>();

  constructor(bus: Bus, worker: string) {
    this.#bus = bus;
    this.#worker = worker;
  }

  get(model: string): ModelReport | undefined {
    return this.#reports.get(model);
  }

  /** It looked at its repository for the asking `seen`. */
  looked(model: string, seen: string, own: boolean, facts: ModelFacts): void {
    const { applied, state, failure } = this.#reports.get(model) ?? { applied: '', state: 'ABSENT' as const };
    const { worker } = { worker: this.#worker };
    this.#tell({ worker, model, seen, own, ...facts, applied, state, ...(failure && { failure }) });
  }

  /** How far it is with the asking `applied`. */
  did(
    model: string,
    applied: string,
    state: ModelReport['state'],
    failure?: { readonly code: string; readonly message: string },
  ): void {
    const before = this.#reports.get(model);
    if (before === undefined) return;
    const { failure: _old, ...rest } = before;
    this.#tell({ ...rest, applied, state, ...(failure && { failure }) });
  }

  /** The repository no longer holds it. */
  forget(model: string): void {
    const before = this.#reports.get(model);
    if (before === undefined) return;
    // Others remember what a worker that is missed could do; this one is not missed.
    const refusal = { code: 'NOT_FOUND', message: 'no model repository holds it' };
    this.#tell({ ...before, own: false, refusal, state: 'ABSENT' });
    this.#reports.delete(model);
    this.#bus.withdraw(this.#key(model));
  }

  close(): void {
    for (const model of this.#reports.keys()) this.#bus.withdraw(this.#key(model));
    this.#reports.clear();
  }

  #tell(report: ModelReport): void {
    if (isDeepStrictEqual(this.#reports.get(report.model), report)) return;
    // In this order: what could not be announced is announced the next time.
    this.#bus.announce(this.#key(report.model), report);
    this.#reports.set(report.model, report);
  }

  #key(model: string): string {
    return `${reportsPrefix}${model}/${this.#worker}`;
  }
}
