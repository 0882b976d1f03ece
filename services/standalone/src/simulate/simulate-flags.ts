import { batchingFlags } from '@shoal/batching';
import type { ConfigOf, FlagTable } from '@shoal/config';

const positive = { min: 1e-6, max: 1e9 } as const;

/** The model that is simulated. */
export const simulatedModelFlags = {
  profile: {
    name: 'profile',
    type: 'string',
    default: '',
    value: 'FILE',
    help: 'How long the model runs: a file that `shoal profile` made, or one written by hand (docs/simulate.md).',
  },
  fixedMs: {
    name: 'fixed-ms',
    type: 'number',
    default: 0,
    min: 0,
    max: 1e9,
    value: 'MS',
    help: 'Without a profile: a run of b rows takes this and b times --row-ms.',
  },
  rowMs: {
    name: 'row-ms',
    type: 'number',
    default: 0,
    min: 0,
    max: 1e9,
    value: 'MS',
    help: 'Without a profile: see --fixed-ms.',
  },
  maxBatchSize: {
    name: 'max-batch-size',
    type: 'integer',
    default: 0,
    min: 0,
    max: 1_000_000,
    value: 'ROWS',
    help: 'Rows of a batch at most, in place of the profile’s. 0 = as the profile says; 32 without one.',
  },
} as const satisfies FlagTable;

/** Who asks, and when. */
export const trafficShapeFlags = {
  rate: {
    name: 'rate',
    type: 'number',
    default: 0,
    min: 0,
    max: 1e9,
    value: 'PER-SECOND',
    help: 'Requests a second, over all. With --trace: the trace is told faster or slower so that it has this rate; 0 = as recorded.',
  },
  arrivals: {
    name: 'arrivals',
    type: 'string',
    default: 'poisson',
    choices: ['poisson', 'constant', 'bursts', 'daily'],
    value: 'KIND',
    help: 'poisson: independent users. bursts: the same, with a rate that jumps up and down. daily: with one that swings. constant: equal gaps.',
  },
  burstFactor: {
    name: 'burst-factor',
    type: 'number',
    default: 4,
    min: 1,
    max: 1e6,
    value: 'FACTOR',
    help: 'Rate in a burst, of the mean rate.',
  },
  burstShare: {
    name: 'burst-share',
    type: 'number',
    default: 0.1,
    min: 1e-6,
    max: 1,
    value: 'SHARE',
    help: 'Share of the time that is burst. At 1 / FACTOR nothing comes between bursts.',
  },
  burstSecs: {
    name: 'burst-secs',
    type: 'number',
    default: 5,
    ...positive,
    value: 'SECONDS',
    help: 'How long a burst lasts on average.',
  },
  dayDepth: {
    name: 'day-depth',
    type: 'number',
    default: 0.7,
    min: 0,
    max: 1,
    value: 'SHARE',
    help: 'With daily: the rate goes from 1 − SHARE to 1 + SHARE of the mean.',
  },
  daySecs: {
    name: 'day-secs',
    type: 'number',
    default: 0,
    min: 0,
    max: 1e9,
    value: 'SECONDS',
    help: 'With daily: from one low to the next. 0 = the length of the simulation.',
  },
  trace: {
    name: 'trace',
    type: 'string',
    default: '',
    value: 'FILE',
    help: 'Recorded traffic: a line per request that begins with its time in seconds, as numbers that do not fall (other lines are skipped). Repeated when it is over.',
  },
  requestRows: {
    name: 'request-rows',
    type: 'integer',
    default: 1,
    min: 1,
    max: 1_000_000,
    value: 'ROWS',
    help: 'Rows of each request.',
  },
  deadlineMs: {
    name: 'deadline-ms',
    type: 'number',
    default: 0,
    min: 0,
    max: 1e9,
    value: 'MS',
    help: 'Deadline of each request; 0 = none.',
  },
} as const satisfies FlagTable;

/** Who serves, and how well that should be. */
export const capacityFlags = {
  runners: {
    name: 'runners',
    type: 'integer',
    default: 0,
    min: 0,
    max: 100_000,
    value: 'COUNT',
    help: 'Model instances. 0 = as many as --slo-p99-ms needs.',
  },
  credits: {
    name: 'credits',
    type: 'integer',
    default: 32,
    min: 1,
    max: 10_000,
    value: 'COUNT',
    help: 'Batches that a runner may have at once, most of which wait: Shoal’s take 32.',
  },
  sloP99Ms: {
    name: 'slo-p99-ms',
    type: 'number',
    default: 0,
    min: 0,
    max: 1e9,
    value: 'MS',
    help: 'The objective: 99 of 100 requests are answered in this time. Answers within it count as goodput, and the least number of runners that keeps it is looked for.',
  },
  sloShed: {
    name: 'slo-shed',
    type: 'number',
    default: 0.001,
    min: 0,
    max: 1,
    value: 'SHARE',
    help: 'The objective: share of the requests that may be refused or given up.',
  },
  maxRunners: {
    name: 'max-runners',
    type: 'integer',
    default: 4096,
    min: 1,
    max: 100_000,
    value: 'COUNT',
    help: 'The search for the number of runners ends here.',
  },
} as const satisfies FlagTable;

const { maxQueueRequests, batchEfficiency, planDeadlines, deferredBatching } = batchingFlags;

/** As those of `shoal serve`. */
export const simulatedBatchingFlags = { maxQueueRequests, batchEfficiency, planDeadlines, deferredBatching } as const;

/** How long it is simulated, and what is shown. */
export const simulationFlags = {
  durationSecs: {
    name: 'duration-secs',
    type: 'number',
    default: 600,
    ...positive,
    value: 'SECONDS',
    help: 'Simulated time. What it takes in real time is about a second for a million requests.',
  },
  warmupSecs: {
    name: 'warmup-secs',
    type: 'number',
    default: -1,
    min: -1,
    max: 1e9,
    value: 'SECONDS',
    help: 'Requests of the beginning that are not counted. −1 = a twentieth of the duration.',
  },
  seed: {
    name: 'seed',
    type: 'integer',
    default: 1,
    min: 0,
    max: 2 ** 32 - 1,
    value: 'N',
    help: 'The same seed gives the same result.',
  },
  json: {
    name: 'json',
    type: 'boolean',
    default: false,
    value: 'BOOL',
    help: 'Writes the result to stdout as JSON, for programs.',
  },
  svg: {
    name: 'svg',
    type: 'string',
    default: '',
    value: 'FILE',
    help: 'Draws latency over time and batch sizes into this file.',
  },
  progress: {
    name: 'progress',
    type: 'boolean',
    default: true,
    value: 'BOOL',
    help: 'A bar on stderr, where that is a terminal.',
  },
} as const satisfies FlagTable;

/** Everything `shoal simulate` can be told. */
export const simulateFlags = {
  ...simulatedModelFlags,
  ...trafficShapeFlags,
  ...capacityFlags,
  ...simulatedBatchingFlags,
  ...simulationFlags,
} as const;

export type SimulateConfig = ConfigOf<typeof simulateFlags>;
