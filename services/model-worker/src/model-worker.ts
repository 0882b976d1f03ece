import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Bus, Instances, batchingPrefix } from '@shoal/bus';
import type { Clock, Random } from '@shoal/core';
import type { TlsFiles } from '@shoal/rpc';
import type { Logger, MetricRegistry, Tracing } from '@shoal/telemetry';
import { ModelControl } from './control/model-control';
import { serveFiles } from './control/serve-files';
import type { ModelWorkerConfig } from './flags';
import { WorkerMetrics } from './metrics/worker-metrics';
import { runnerTls } from './supervisor/runner-tls';
import { findGpus } from './supervisor/gpus';
import { memoryBudgetBytes, memoryLimitBytes } from './supervisor/memory';
import type { WorkerContext } from './worker-context';

export interface ModelWorkerDeps {
  /** Unique in the cluster. */
  readonly id: string;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Where its metrics are kept; absent: nothing is measured. */
  readonly metrics?: MetricRegistry | undefined;
  readonly config: ModelWorkerConfig;
  /** Undefined: nothing is recorded. */
  readonly tracing?: Tracing | undefined;
  /** Bound of the shared memory that one runner's answers may take on their way to routers of this machine; 0 = none. */
  readonly sharedMemoryBytes: number;
  /** Other workers serve the same models: what is the same shares one queue with theirs. */
  readonly shared?: boolean;
  /** Runners take links over TCP with mutual TLS; the files' paths are absolute. */
  readonly linkTls?: { readonly files: TlsFiles; readonly name: string } | undefined;
}

export interface ModelWorkerService {
  /** Settled when every start-up model is READY or UNAVAILABLE. */
  readonly initialLoad: Promise<void>;
  /** Ends the loads that go on, and takes no more: what serves goes on serving. The first step of an orderly end. */
  abandonLoads(): void;
  /** Retires every model within `graceMs`, ends the runners and cleans up. */
  drain(graceMs: number): Promise<void>;
}

/** Longest path of a unix socket on the systems that Shoal runs on, less room for the socket's own name. */
const maxSocketFolder = 80;

/**
 * Starts the hands: follows the repository and keeps a runner process for each instance of each loaded model version.
 * Throws ShoalError INVALID_ARGUMENT when a model repository cannot be read.
 */
export async function startModelWorker(deps: ModelWorkerDeps): Promise<ModelWorkerService> {
  const { config, logger } = deps;
  const folder = makePrivateFolder();
  const context = contextOf(deps, folder);
  const control = new ModelControl(context, {
    mode: config.modelControlMode as 'none' | 'poll' | 'explicit',
    // Runners have a working folder of their own.
    repositories: [...config.modelRepository, ...config.modelStore].map((path) => resolve(path)),
    pollMs: config.repositoryPollSecs * 1000,
    startupModels: config.loadModel,
    concurrentLoads: config.modelLoadThreadCount,
    privateFolder: folder,
    memoryBudgetBytes: memoryBudgetBytes(config.memoryBudgetMb),
    settleMs: deps.shared ? config.placementSettleSecs * 1000 : 0,
    generationPrefix: deps.shared ? undefined : `${deps.clock.epochMs().toString(36)}.`,
  });
  // Should the process end without a drain, no socket may be left behind.
  const tidy = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', tidy);
  const endFiles = serveFiles(context, control);
  const finish = () => {
    endFiles();
    context.batching.close();
    context.metrics?.close();
    process.off('exit', tidy);
    tidy();
  };
  try {
    const { loaded } = await control.start();
    return {
      initialLoad: loaded,
      abandonLoads: () => control.abandonLoads(),
      async drain(graceMs) {
        control.abandonLoads();
        await control.handOver(graceMs / 2);
        await control.close(graceMs);
        finish();
        logger.verbose(1, 'model-worker: all runners have ended');
      },
    };
  } catch (thrown) {
    finish();
    throw thrown;
  }
}

/** A folder that only this user may enter: whoever can reach a runner's socket can have it run its model. */
function makePrivateFolder(): string {
  const temporary = tmpdir();
  return mkdtempSync(join(temporary.length <= maxSocketFolder ? temporary : '/tmp', 'shoal-'));
}

function contextOf(
  { id, bus, clock, random, logger, metrics, config, tracing, sharedMemoryBytes, linkTls }: ModelWorkerDeps,
  folder: string,
): WorkerContext {
  let runners = 0;
  return {
    worker: id,
    bus,
    batching: new Instances(bus, batchingPrefix),
    clock,
    random,
    logger,
    metrics: metrics && new WorkerMetrics(metrics),
    cwd: folder,
    memoryLimitBytes: memoryLimitBytes(config.runnerMemoryLimitMb),
    sharedMemoryBytes,
    loadTimeoutMs: config.modelLoadTimeoutSecs * 1000,
    runTimeoutMs: config.modelRunTimeoutSecs * 1000,
    drainTimeoutMs: config.modelDrainTimeoutSecs * 1000,
    gpus: findGpus(),
    runnerSpans: tracing?.relay('runner'),
    nextRunnerId: () => `${id}-r${(runners += 1)}`,
    runnerTls: () => linkTls && runnerTls(linkTls.files, linkTls.name),
    listenAddress: (runner) =>
      config.runnerHost === ''
        ? `unix:${join(folder, `${runner.slice(runner.lastIndexOf('-') + 1)}.sock`)}`
        : `${config.runnerHost}:0`,
  };
}
