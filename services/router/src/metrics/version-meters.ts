import type { Counter, Histogram } from '@shoal/telemetry';

/** What a router records of one version of a model, bound so that recording looks nothing up. */
export interface VersionMeters {
  readonly duration: Histogram;
  readonly canceled: Counter;
  readonly other: Counter;
}
