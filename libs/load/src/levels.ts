import { ShoalError } from '@shoal/core';
import type { BenchConfig } from './flags';
import { parseRange } from './ranges';
import type { LoadLevel } from './run-level';

/** The levels that the command line asks for, in order. */
export function levelsOf(config: BenchConfig): LoadLevel[] {
  const { concurrencyRange, requestRateRange, requestDistribution, maxInFlight } = config;
  if (requestRateRange === '') {
    return parseRange('concurrency-range', concurrencyRange, true).map((concurrency) => ({
      kind: 'closed',
      concurrency: checkConcurrency(concurrency),
    }));
  }
  return parseRange('request-rate-range', requestRateRange, false).map((rate) => ({
    kind: 'open',
    distribution: requestDistribution === 'poisson' ? 'poisson' : 'constant',
    ...{ rate, maxInFlight },
  }));
}

/** Most requests in flight that a level can have. */
export function slotsOf(levels: readonly LoadLevel[]): number {
  return Math.max(...levels.map((level) => (level.kind === 'closed' ? level.concurrency : level.maxInFlight)));
}

const maxConcurrency = 1_000_000;

function checkConcurrency(concurrency: number): number {
  if (concurrency <= maxConcurrency) return concurrency;
  throw new ShoalError(
    'INVALID_ARGUMENT',
    `--concurrency-range: at most ${maxConcurrency} requests are kept in flight`,
  );
}
