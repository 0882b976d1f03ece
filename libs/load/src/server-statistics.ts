import type { ControlClient } from './control-client';

interface Duration {
  readonly count: number;
  readonly ns: number;
}

type Stage = 'success' | 'fail' | 'queue' | 'compute_input' | 'compute_infer' | 'compute_output';

interface ModelStatistics {
  readonly inference_count: number;
  readonly execution_count: number;
  readonly inference_stats: Readonly<Record<Stage, Duration | null>> | null;
}

/** A model's counters, summed over its versions. */
export interface ServerCounters {
  readonly inferences: number;
  readonly executions: number;
  readonly stages: Readonly<Record<Stage, Duration>>;
}

const stages: readonly Stage[] = ['success', 'fail', 'queue', 'compute_input', 'compute_infer', 'compute_output'];

/** What the server says of a window. Means per request, in milliseconds; NaN where nothing was counted. */
export interface ServerFigures {
  readonly succeeded: number;
  readonly failed: number;
  readonly executions: number;
  /** Inferences per execution. */
  readonly batch: number;
  readonly requestMs: number;
  readonly queueMs: number;
  readonly computeInputMs: number;
  readonly computeInferMs: number;
  readonly computeOutputMs: number;
}

/** The model's counters now; undefined where the server keeps none. */
export async function readCounters(client: ControlClient, name: string): Promise<ServerCounters | undefined> {
  // Without a version: the newest one may change, and the load with it.
  const answer = await client.optional<{ model_stats: readonly ModelStatistics[] }>('ModelStatistics', { name });
  if (answer === undefined || answer.model_stats.length === 0) return undefined;
  const sum = (of: (one: ModelStatistics) => number) => answer.model_stats.reduce((total, one) => total + of(one), 0);
  const stage = (key: Stage): Duration => ({
    count: sum((one) => one.inference_stats?.[key]?.count ?? 0),
    ns: sum((one) => one.inference_stats?.[key]?.ns ?? 0),
  });
  return {
    inferences: sum((one) => one.inference_count),
    executions: sum((one) => one.execution_count),
    stages: Object.fromEntries(stages.map((key) => [key, stage(key)])) as Record<Stage, Duration>,
  };
}

/** What happened between two readings. */
export function figuresBetween(before: ServerCounters, after: ServerCounters): ServerFigures {
  const count = (key: Stage) => after.stages[key].count - before.stages[key].count;
  const mean = (key: Stage) => (after.stages[key].ns - before.stages[key].ns) / count(key) / 1e6;
  const executions = after.executions - before.executions;
  return {
    succeeded: count('success'),
    failed: count('fail'),
    executions,
    batch: (after.inferences - before.inferences) / executions,
    requestMs: mean('success'),
    queueMs: mean('queue'),
    computeInputMs: mean('compute_input'),
    computeInferMs: mean('compute_infer'),
    computeOutputMs: mean('compute_output'),
  };
}
