import type { LogHistogram, SimulationOutcome } from '@shoal/scheduler';
import type { SimulationResult } from './simulate-command';

/** A simulation's result for programs. Times in milliseconds, rates a second. */
export function simulationJson({ profile, traffic, config, outcome, needed }: SimulationResult): object {
  return {
    model: profile.model,
    traffic: { name: traffic.name, rate: traffic.rate },
    seconds: outcome.seconds,
    seed: config.seed,
    ...outcomeJson(outcome),
    batches: outcome.batchSizes.flatMap((count, rows) => (count > 0 ? [{ rows, count }] : [])),
    slices: outcome.slices,
    ...(needed && {
      objective: { p99Ms: config.sloP99Ms, shed: config.sloShed },
      runnersNeeded: needed.runners ?? null,
      tried: needed.tried.map(outcomeJson),
    }),
  };
}

function outcomeJson(outcome: SimulationOutcome): object {
  const { runners, offered, answered, shed, throughput, goodput, meanBatch, utilisation } = outcome;
  return {
    ...{ runners, offered, answered, shed, throughput, goodput, meanBatch, utilisation },
    latencyMs: quantiles(outcome.latency),
    queueMs: quantiles(outcome.queueing),
  };
}

function quantiles(histogram: LogHistogram): object {
  return {
    mean: histogram.mean,
    p50: histogram.quantile(0.5),
    p90: histogram.quantile(0.9),
    p95: histogram.quantile(0.95),
    p99: histogram.quantile(0.99),
    p999: histogram.quantile(0.999),
    max: histogram.max,
  };
}
