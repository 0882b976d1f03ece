import {
  type Duration,
  type Instances,
  type StatisticsCall,
  type VersionStatistics,
  statisticsSubject,
} from '@shoal/bus';
import { errorTexts, parseModelVersion } from '@shoal/protocol';
import { type CallContext, type Handlers, callSpan } from '@shoal/rpc';
import type { Catalog } from '../catalog/catalog';
import { sumStatistics } from './sum-statistics';

const timeoutMs = 5_000;
const none: Duration = { count: 0, ns: 0 };

/** ModelStatistics, asked of the batching instances: they own the queues and so the numbers. */
export function statisticsHandlers(catalog: Catalog, batching: Instances): Handlers {
  return {
    async ModelStatistics(
      { name, version }: { readonly name: string; readonly version: string },
      context: CallContext,
    ) {
      const wanted = checkWanted(catalog, name, version);
      const call: StatisticsCall = { model: name, version: wanted };
      const found = await batching.callEach<StatisticsCall, VersionStatistics[]>(
        statisticsSubject,
        call,
        timeoutMs,
        callSpan(context),
      );
      const sorted = sumStatistics(found.flat()).sort((a, b) => compare(a.model, b.model) || a.version - b.version);
      return { model_stats: sorted.map(modelStatistics) };
    },
  };
}

/** The version in digits, '' = all. @throws ShoalError INVALID_ARGUMENT in Triton's words for what does not serve. */
function checkWanted(catalog: Catalog, model: string, versionText: string): string {
  if (model === '') return '';
  const version = parseModelVersion(versionText);
  const ready = catalog.readyVersions(model);
  if (ready.length === 0) throw errorTexts.statisticsModelUnavailable(model);
  if (version !== undefined && !ready.some((entry) => entry.version === version)) {
    throw errorTexts.statisticsVersionUnavailable(model);
  }
  return version ?? '';
}

function modelStatistics(statistics: VersionStatistics) {
  return {
    name: statistics.model,
    version: String(statistics.version),
    last_inference: statistics.lastInferenceMs,
    inference_count: statistics.inferenceCount,
    execution_count: statistics.executionCount,
    // All eight are there even when nothing happened yet.
    inference_stats: {
      success: statistics.success,
      fail: statistics.fail,
      queue: statistics.queue,
      compute_input: statistics.computeInput,
      compute_infer: statistics.computeInfer,
      compute_output: statistics.computeOutput,
      cache_hit: none,
      cache_miss: none,
    },
    batch_stats: statistics.batches.map((batch) => ({
      batch_size: batch.batchSize,
      compute_input: batch.computeInput,
      compute_infer: batch.computeInfer,
      compute_output: batch.computeOutput,
    })),
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
