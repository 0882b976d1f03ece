/** What happens to a request that waited for longer than its queue allows. */
export interface TimeoutPolicy {
  /** 'reject': it fails; 'delay': it moves behind everything of its priority level that is still in time. */
  readonly action: 'reject' | 'delay';
  /** Milliseconds a request may wait; 0 = for ever. */
  readonly timeoutMs: number;
  /** A request may ask for less than `timeoutMs` (never for more, and not where that is 0). */
  readonly allowOverride: boolean;
  /** Requests of this priority level that may wait at once; 0 = no limit of its own. */
  readonly maxQueueSize: number;
}

/** What a queue may hold at most, whatever the model's config says: protects the process. */
export interface QueueBounds {
  readonly requests: number;
  readonly rows: number;
  readonly bytes: number;
}

/** How one model version's requests are queued and batched: a model's config, compiled. */
export interface QueuePolicy {
  /** Most rows (batch items) in one batch, at least 1. */
  readonly maxBatchSize: number;
  /** False: each request runs alone, in order of arrival. */
  readonly dynamic: boolean;
  /** Batch sizes in rows to aim for, ascending, each in 1 … maxBatchSize, at least one. */
  readonly preferredSizes: readonly number[];
  /** How long an idle runner may wait for a preferred size; 0 = not at all. */
  readonly maxDelayMs: number;
  /** Requests run in the order of arrival, whatever their deadlines. Routers see to it that answers leave in that order too. */
  readonly preserveOrdering: boolean;
  /** Priorities are 1 (first) … priorityLevels; at least 1. */
  readonly priorityLevels: number;
  /** The level of requests that name none, or one that does not exist. */
  readonly defaultLevel: number;
  readonly defaultTimeout: TimeoutPolicy;
  /** By level, where it differs from `defaultTimeout`. */
  readonly levelTimeouts: ReadonlyMap<number, TimeoutPolicy>;
  /** Of plain requests; those in the background have a share of it, on top (see `backgroundBounds`). */
  readonly bounds: QueueBounds;
  /**
   * How long a batch of background requests may take its runner at most, in milliseconds, as far as batching can tell; a fifth
   * of it while plain requests come.
   */
  readonly backgroundBatchMs: number;
  /** Share of the full speed at which a batch is large enough, by what was learnt; 1 = as large as it can be (see plan.ts). */
  readonly batchEfficiency: number;
  /** Batches are as small as their earliest deadline asks for, and what can no longer make its deadline fails at once. */
  readonly planDeadlines: boolean;
  /**
   * A plain request is refused when what waits before it would take longer than this by the pace of late, in milliseconds; the
   * lower priority levels earlier, in equal steps. Infinity = never.
   */
  readonly maxWaitMs: number;
  /** A batch waits for company for as long as the earliest deadline of its members allows. */
  readonly deferred: boolean;
}

/** Waits for ever, no limit of its own. */
export const patientTimeout: TimeoutPolicy = { action: 'reject', timeoutMs: 0, allowOverride: false, maxQueueSize: 0 };

/** Generous to any honest load, and still far from what would exhaust the process (a waiting offer costs < 1 KB). */
export const defaultBounds: QueueBounds = { requests: 16_384, rows: 1_048_576, bytes: 4 * 1024 ** 3 };

/** Short beside what a network and a client's own patience allow, and still many rows of a small model. */
export const defaultBackgroundBatchMs = 10;

/** So near to full speed that nobody misses the rest. */
export const defaultBatchEfficiency = 0.95;

/**
 * A whole policy from the parts that matter to the caller. Nothing that was learnt is used unless they say so.
 * @throws RangeError when sizes or levels contradict each other: configs are checked before they come here.
 */
export function queuePolicy(parts: Partial<QueuePolicy> = {}): QueuePolicy {
  const maxBatchSize = Math.max(1, parts.maxBatchSize ?? 1);
  const sizes = new Set(parts.preferredSizes ?? []);
  const preferredSizes = sizes.size > 0 ? [...sizes].toSorted((a, b) => a - b) : [maxBatchSize];
  const priorityLevels = Math.max(1, parts.priorityLevels ?? 1);
  const policy: QueuePolicy = {
    dynamic: false,
    maxDelayMs: 0,
    preserveOrdering: false,
    defaultLevel: 1,
    defaultTimeout: patientTimeout,
    levelTimeouts: new Map(),
    bounds: defaultBounds,
    backgroundBatchMs: defaultBackgroundBatchMs,
    batchEfficiency: 1,
    planDeadlines: false,
    deferred: false,
    maxWaitMs: Infinity,
    ...parts,
    maxBatchSize,
    preferredSizes,
    priorityLevels,
  };
  for (const size of preferredSizes) {
    if (!(size >= 1 && size <= maxBatchSize))
      throw new RangeError(`preferred batch size ${size} is not in 1 … ${maxBatchSize}`);
  }
  if (!(policy.defaultLevel >= 1 && policy.defaultLevel <= priorityLevels)) {
    throw new RangeError(`default priority level ${policy.defaultLevel} is not in 1 … ${priorityLevels}`);
  }
  return policy;
}

/** The timeout policy of a priority level. */
export function timeoutPolicy(policy: QueuePolicy, level: number): TimeoutPolicy {
  return policy.levelTimeouts.get(level) ?? policy.defaultTimeout;
}
