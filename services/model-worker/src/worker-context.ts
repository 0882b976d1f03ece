import type { Bus, Instances } from '@shoal/bus';
import type { Clock, Random } from '@shoal/core';
import type { Logger } from '@shoal/telemetry';
import type { WorkerMetrics } from './metrics/worker-metrics';
import type { RunnerTls } from './control-messages';

/** What all parts of one model-worker share. */
export interface WorkerContext {
  /** This worker's id, unique in the cluster. */
  readonly worker: string;
  readonly bus: Bus;
  /** The batching instances. */
  readonly batching: Instances;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Undefined: nothing is measured. */
  readonly metrics?: WorkerMetrics | undefined;
  /** The runners' working folder: private to this process, holds nothing but their sockets. */
  readonly cwd: string;
  readonly memoryLimitBytes: number;
  /** Most bytes of this machine's shared memory that one runner's answers may take. */
  readonly sharedMemoryBytes: number;
  readonly loadTimeoutMs: number;
  readonly runTimeoutMs: number;
  /** How long a retired generation may take to finish. */
  readonly drainTimeoutMs: number;
  /** GPUs of this machine, by number. */
  readonly gpus: readonly number[];
  /** Takes the spans of runners, encoded; undefined: nothing is recorded. */
  readonly runnerSpans: ((encoded: Uint8Array, spans: number) => void) | undefined;
  /** Unique in the cluster. */
  nextRunnerId(): string;
  /** What runners' links are secured with, as it is now. */
  runnerTls(): RunnerTls | undefined;
  /** Where the runner of that id listens. */
  listenAddress(id: string): string;
}
