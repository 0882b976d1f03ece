import type { Bus } from '@shoal/bus';
import type { Clock, Random } from '@shoal/core';
import type { Logger } from '@shoal/telemetry';
import type { ModelWorkerConfig } from './flags';

export interface ModelWorkerDeps {
  /** Unique in the cluster. */
  readonly id: string;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly config: ModelWorkerConfig;
}

export interface ModelWorkerService {
  /** Settled when every start-up model is READY or UNAVAILABLE. */
  readonly initialLoad: Promise<void>;
  /** Retires every model within `graceMs`, ends the runners and cleans up. */
  drain(graceMs: number): Promise<void>;
}

/** Starts the hands: follows the repository and keeps a runner process for each instance of each loaded model version. */
export async function startModelWorker(_deps: ModelWorkerDeps): Promise<ModelWorkerService> {
  return Promise.resolve({ initialLoad: Promise.resolve(), drain: () => Promise.resolve() });
}
