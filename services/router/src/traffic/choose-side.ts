import { type Random, hashText, mixBits } from '@shoal/core';
import type { TrafficRules } from './traffic-rules';

export type Side = 'stable' | 'canary';

/** What the rules may ask about a request. */
export interface RequestHeaders {
  /** The first value, by lower-case name. */
  header(name: string): string | undefined;
}

/** The side that a request without a version belongs to: by its header, else by its sticky key, else by lot. */
export function chooseSide(model: string, rules: TrafficRules, headers: RequestHeaders, random: Random): Side {
  const { canary } = rules;
  if (!canary) return 'stable';
  if (canary.header) {
    const value = headers.header(canary.header.name);
    const { values } = canary.header;
    if (value !== undefined && (values.length === 0 || values.includes(value))) return 'canary';
  }
  const key = canary.sticky === undefined ? undefined : headers.header(canary.sticky);
  const drawn = key === undefined ? random.next() : stickyShare(model, key);
  return drawn * 100 < canary.percent ? 'canary' : 'stable';
}

/** Where in [0, 1) a sticky key lies: the same in every router and every release, and for each model another place. */
export function stickyShare(model: string, key: string): number {
  return mixBits(hashText(key, hashText(`${model}\0`))) / 2 ** 32;
}
