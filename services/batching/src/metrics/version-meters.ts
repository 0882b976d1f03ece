import type { Counter, Histogram, TracePlace } from '@shoal/telemetry';
import type { RunTimes } from '../statistics';
import type { BatchingFamilies } from './families';

/** Why Triton says that a request failed. */
export type FailureReason = 'REJECTED' | 'CANCELED' | 'BACKEND' | 'OTHER';

/** Why a request was turned away before it ran. */
export type ShedReason = 'queue_full' | 'overload' | 'timeout' | 'refused';

/** What is recorded of one version of a model. Its label sets are bound: to record looks nothing up. */
export class VersionMeters {
  readonly model: string;
  readonly version: string;
  readonly #families: BatchingFamilies;
  readonly #success: Counter;
  readonly #failures: Readonly<Record<FailureReason, Counter>>;
  readonly #inferences: Counter;
  readonly #executions: Counter;
  readonly #requestUs: Counter;
  readonly #queueUs: Counter;
  readonly #inputUs: Counter;
  readonly #inferUs: Counter;
  readonly #outputUs: Counter;
  readonly #firstResponse: Histogram;
  readonly #batchRows: Histogram;
  readonly #batchRequests: Histogram;
  readonly #queueTime: Histogram;
  readonly #computeTime: Histogram;
  readonly #slack: Histogram;

  constructor(families: BatchingFamilies, model: string, version: string) {
    this.model = model;
    this.version = version;
    this.#families = families;
    this.#success = families.success.with(model, version);
    const failure = (reason: FailureReason) => families.failure.with(model, version, reason);
    this.#failures = {
      REJECTED: failure('REJECTED'),
      CANCELED: failure('CANCELED'),
      BACKEND: failure('BACKEND'),
      OTHER: failure('OTHER'),
    };
    this.#inferences = families.inferences.with(model, version);
    this.#executions = families.executions.with(model, version);
    this.#requestUs = families.requestUs.with(model, version);
    this.#queueUs = families.queueUs.with(model, version);
    this.#inputUs = families.inputUs.with(model, version);
    this.#inferUs = families.inferUs.with(model, version);
    this.#outputUs = families.outputUs.with(model, version);
    this.#firstResponse = families.firstResponse.with(model, version);
    this.#batchRows = families.batchRows.with(model, version);
    this.#batchRequests = families.batchRequests.with(model, version);
    this.#queueTime = families.queueTime.with(model, version);
    this.#computeTime = families.computeTime.with(model, version);
    this.#slack = families.slack.with(model, version);
  }

  /** A batch ran. */
  executed(rows: number, requests: number, times: RunTimes): void {
    this.#executions.add(1);
    this.#batchRows.observe(rows);
    this.#batchRequests.observe(requests);
    this.#computeTime.observe((times.computeInputNs + times.computeInferNs + times.computeOutputNs) / 1e9);
  }

  /** A request was answered. @param place Where it is recorded, if it is. */
  succeeded(rows: number, totalNs: number, queueNs: number, times: RunTimes, place?: TracePlace): void {
    this.#success.add(1);
    this.#inferences.add(rows);
    this.#requestUs.add(totalNs / 1000);
    this.#queueUs.add(queueNs / 1000);
    this.#inputUs.add(times.computeInputNs / 1000);
    this.#inferUs.add(times.computeInferNs / 1000);
    this.#outputUs.add(times.computeOutputNs / 1000);
    this.#firstResponse.observe(totalNs / 1e6);
    this.#queueTime.observe(queueNs / 1e9, place);
  }

  failed(reason: FailureReason): void {
    this.#failures[reason].add(1);
  }

  shed(reason: ShedReason): void {
    this.#families.shed.with(reason, this.model).add(1);
  }

  /** A request goes to a runner. @param slackMs Until its deadline; Infinity = it has none. */
  dispatched(slackMs: number): void {
    if (slackMs !== Infinity) this.#slack.observe(slackMs / 1000);
  }
}
