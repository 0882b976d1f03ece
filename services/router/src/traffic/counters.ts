/** What one side of a model's traffic did since its rules changed last. */
export interface SideCounters {
  /** Accepted; those that are neither answered nor failed run, or nobody waited for them any more. */
  requests: number;
  answered: number;
  failed: number;
  /** From acceptance to answer, of those answered: sum of milliseconds. */
  answeredMs: number;
}

/** What came of comparing with the shadow version since the rules changed last. */
export interface ShadowCounters {
  /** Given to the shadow version. */
  sent: number;
  compared: number;
  equal: number;
  different: number;
  /** The shadow version did not answer. */
  failed: number;
  /** Not sent, or given up, as too many or too much was on its way. */
  dropped: number;
  /** Cannot be compared: the version is not ready, shared memory, a sequence, or the same version had answered. */
  skipped: number;
  /** The request itself failed, or its client went: nothing to compare with. */
  abandoned: number;
  /** Largest difference of an element; 0 where none was seen. */
  largestDifference: number;
  /** The first difference: the output's name, and in what it differs; '' where none was seen. */
  firstOutput: string;
  firstReason: string;
  /** Of those compared: sums of milliseconds from acceptance to answer. */
  primaryMs: number;
  shadowMs: number;
}

/** One router's share, or the sum over routers. */
export interface TrafficCounters {
  readonly stable: SideCounters;
  readonly canary: SideCounters;
  /** Requests that were the canary's and went to the stable version, as it was not ready or would have refused them. */
  fallbacks: number;
  readonly shadow: ShadowCounters;
}

function newSide(): SideCounters {
  return { requests: 0, answered: 0, failed: 0, answeredMs: 0 };
}

/** All zero. */
export function newCounters(): TrafficCounters {
  return {
    stable: newSide(),
    canary: newSide(),
    fallbacks: 0,
    shadow: {
      sent: 0,
      compared: 0,
      equal: 0,
      different: 0,
      failed: 0,
      dropped: 0,
      skipped: 0,
      abandoned: 0,
      largestDifference: 0,
      firstOutput: '',
      firstReason: '',
      primaryMs: 0,
      shadowMs: 0,
    },
  };
}

/** What several routers counted, as one. */
export function sumCounters(all: readonly TrafficCounters[]): TrafficCounters {
  const sum = newCounters();
  for (const one of all) {
    addSide(sum.stable, one.stable);
    addSide(sum.canary, one.canary);
    sum.fallbacks += one.fallbacks;
    addShadow(sum.shadow, one.shadow);
  }
  return sum;
}

function addSide(sum: SideCounters, one: SideCounters): void {
  for (const key of ['requests', 'answered', 'failed', 'answeredMs'] as const) sum[key] += one[key];
}

const added = [
  'sent',
  'compared',
  'equal',
  'different',
  'failed',
  'dropped',
  'skipped',
  'abandoned',
  'primaryMs',
  'shadowMs',
] as const;

function addShadow(sum: ShadowCounters, one: ShadowCounters): void {
  for (const key of added) sum[key] += one[key];
  sum.largestDifference = Math.max(sum.largestDifference, one.largestDifference);
  if (sum.firstReason === '') {
    sum.firstOutput = one.firstOutput;
    sum.firstReason = one.firstReason;
  }
}
