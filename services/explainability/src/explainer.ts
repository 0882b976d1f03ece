import type { VersionAnnouncement } from '@shoal/bus';
import { ShoalError } from '@shoal/core';
import type { ExplainCall, ExplainerDeps } from './explain-call';
import { type StreamParts, predictOnce } from './perturbing/prediction-stream';
import { plainRequest } from './perturbing/row-requests';
import { rowAt, rowCount } from './requests/batch-rows';
import type { ExplainRequestMessage } from './requests/messages';
import { invalid, quoted } from './requests/refuse';
import { type Tensor, tensorsOf } from './requests/tensor';
import { tracedRow } from './tracing/traced-row';

/** Rows of a batch that are explained at a time. */
const rowsAtATime = 4;

/** Makes explanations, a bounded number of them at a time. */
export class Explainer {
  readonly #deps: ExplainerDeps;
  #running = 0;

  constructor(deps: ExplainerDeps) {
    this.#deps = deps;
    deps.metrics?.follow(() => this.#running);
  }

  /** @returns shoal.explain.v1.ExplainResponse @throws ShoalError */
  explain(message: ExplainRequestMessage, call: ExplainCall): Promise<object> {
    return this.#admitted(message, async () => {
      const row = requestRow(message);
      const door = this.#door(call);
      const startedAt = this.#deps.clock.now();
      const answer = await predictOnce(door, plainRequest(message.model_name, message.model_version, row), call.signal);
      const version = this.#version(message.model_name, answer.modelVersion);
      const batched = isBatched(version);
      const long = row.find(({ shape }) => batched && shape[0] !== 1);
      if (long) {
        throw invalid(
          `input ${quoted(long.name)} has ${long.shape[0] ?? 0} rows: Explain takes one, ExplainBatch several`,
        );
      }
      return tracedRow({ message, row, answer, version, batched, door, call, startedAt }, this.#deps);
    });
  }

  /** @returns shoal.explain.v1.ExplainBatchResponse @throws ShoalError */
  explainBatch(message: ExplainRequestMessage, call: ExplainCall): Promise<object> {
    return this.#admitted(message, async () => {
      const tensors = requestRow(message);
      const count = rowCount(tensors, this.#deps.config.explainMaxRows);
      const door = this.#door(call);
      const startedAt = this.#deps.clock.now();
      const first = rowAt(tensors, 0, count);
      const ask = (row: readonly Tensor[], version: string) =>
        predictOnce(door, plainRequest(message.model_name, version, row), call.signal);
      const answer = await ask(first, message.model_version);
      const version = this.#version(message.model_name, answer.modelVersion);
      if (!isBatched(version)) {
        throw invalid(`model ${quoted(message.model_name)} has no batch dimension: its rows are explained one by one`);
      }
      // The first failure ends all.
      const abort = new AbortController();
      call.signal.addEventListener('abort', () => abort.abort(), { once: true });
      const shared = {
        message,
        version,
        batched: true,
        door,
        call: { ...call, signal: abort.signal },
        startedAt,
        baseValues: new Map<string, Float64Array>(),
      };
      const explanations: object[] = [];
      explanations[0] = await tracedRow({ ...shared, row: first, answer }, this.#deps);
      let next = 1;
      const work = async () => {
        while (next < count) {
          const at = next;
          next += 1;
          const row = rowAt(tensors, at, count);
          const own = await ask(row, answer.modelVersion);
          explanations[at] = await tracedRow({ ...shared, row, answer: own }, this.#deps);
        }
      };
      try {
        await Promise.all(Array.from({ length: rowsAtATime }, work));
      } catch (thrown) {
        abort.abort();
        throw thrown;
      }
      return { explanations };
    });
  }

  #door({ headers }: ExplainCall): StreamParts {
    const { routers, clock, metrics } = this.#deps;
    return { client: routers.next(), clock, headers, meters: metrics?.predictions };
  }

  #version(model: string, version: string): VersionAnnouncement {
    const found = this.#deps.versions.find(model, version);
    if (found?.config) return found;
    throw new ShoalError('UNAVAILABLE', `nothing is known yet of model ${quoted(model)} version ${version}: try again`);
  }

  async #admitted(message: ExplainRequestMessage, work: () => Promise<object>): Promise<object> {
    try {
      return await this.#bounded(work);
    } catch (thrown) {
      this.#deps.metrics?.failed(message.method, thrown);
      throw thrown;
    }
  }

  async #bounded(work: () => Promise<object>): Promise<object> {
    const most = this.#deps.config.explainMaxConcurrent;
    if (this.#running >= most) {
      throw new ShoalError(
        'RESOURCE_EXHAUSTED',
        `${most} explanations are being made, as many as are at a time: try again`,
      );
    }
    this.#running += 1;
    try {
      return await work();
    } finally {
      this.#running -= 1;
    }
  }
}

function requestRow(message: ExplainRequestMessage): Tensor[] {
  if (message.model_name === '') throw invalid('the request names no model (model_name)');
  const row = tensorsOf(message, 'the request');
  if (row.length === 0) throw invalid('the request has no inputs');
  return row;
}

function isBatched({ config }: VersionAnnouncement): boolean {
  return (config?.max_batch_size ?? 0) > 0;
}
