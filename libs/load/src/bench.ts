import { type Clock, type Random, ShoalError, seededRandom } from '@shoal/core';
import { scanInferResponse } from '@shoal/protocol';
import { type GrpcCarrier, type MethodDefinition, type RpcClient, createClient } from '@shoal/rpc';
import { type ControlClient, controlClient, inferenceService } from './control-client';
import { type Credentials, credentialsOf } from './credentials';
import type { BenchConfig } from './flags';
import { chooseData, serialiseRequest } from './infer-requests';
import type { RequestData } from './input-files';
import { levelsOf, slotsOf } from './levels';
import { type ModelIo, readModelIo } from './model-io';
import type { Pacer } from './pacer';
import { processTree, useBetween, type ProcessUse } from './process-tree';
import { requestSource } from './request-source';
import { type BenchRow, toRow } from './row';
import { type LoadLevel, type Progress, runLevel } from './run-level';
import type { NextRequest, OpenSender } from './sender';
import { checkBatchSize, parseShapes } from './shapes';
import { type SharedRegions, createRegions } from './shared-regions';
import { type ServerCounters, figuresBetween, readCounters } from './server-statistics';
import { readStreamAnswer } from './stream-answer';
import { streamSender } from './stream-sender';
import { unarySender } from './unary-sender';

/** What a run needs of the process around it. */
export interface BenchDeps {
  readonly clock: Clock;
  /** For names that must not meet others'. */
  readonly random: Random;
  readonly createPacer: () => Pacer;
  readonly onProgress?: (index: number, count: number, level: LoadLevel, progress: Progress) => void;
  /** A level's results, as soon as they are there. */
  readonly onRow?: (row: BenchRow) => void;
  /** Ends the run early; levels not yet begun are left out. */
  readonly signal?: AbortSignal;
}

/** Output places in shared memory; with more requests in flight some share one, as nobody reads them. */
const maxPlaces = 64;

const drainMs = 10_000;

/**
 * Loads a model of a server, level after level. A level without a single answer ends the run.
 * @throws ShoalError for what cannot be run at all: the server's own words, or INVALID_ARGUMENT with the option at fault.
 */
export async function runBench(config: BenchConfig, deps: BenchDeps): Promise<BenchRow[]> {
  if (config.modelName === '') throw new ShoalError('INVALID_ARGUMENT', 'which model? Name it with -m NAME');
  const levels = levelsOf(config);
  const carrier = config.carrier as GrpcCarrier;
  const credentials = credentialsOf(config);
  const control = createClient(config.url, { carrier, clock: deps.clock, ...credentials.client });
  const load = createClient(config.url, {
    ...{ carrier, clock: deps.clock, passthrough: true, connections: config.connections },
    ...credentials.client,
  });
  let regions: SharedRegions | undefined;
  try {
    const client = controlClient(control, credentials.call);
    const target = await prepare(config, client, load, credentials.call);
    if (config.sharedMemory === 'system') {
      const places = Math.min(slotsOf(levels), maxPlaces);
      const { data, outputSizes } = target;
      regions = await createRegions(client, data, config.batchSize, outputSizes, places, deps.random);
    }
    const ids = config.streaming ? 'slot' : config.requestIds ? 'unique' : 'none';
    const next = requestSource({ ...target, batchSize: config.batchSize, background: config.background, ids, regions });
    const rows: BenchRow[] = [];
    for (const [index, level] of levels.entries()) {
      if (deps.signal?.aborted) break;
      const row = await measure(
        config,
        deps,
        client,
        openSender(config, load, next, credentials.call),
        level,
        (progress) => deps.onProgress?.(index, levels.length, level, progress),
      );
      rows.push(row);
      deps.onRow?.(row);
      if (row.answered === 0) break;
    }
    return rows;
  } finally {
    await regions?.release();
    control.close();
    load.close();
  }
}

interface Target {
  readonly model: ModelIo;
  readonly data: readonly RequestData[];
  /** Raw bytes of each output of one request. */
  readonly outputSizes: ReadonlyMap<string, number>;
}

/** Learns the model's inputs, makes the data, and tries it: a request that fails shows why before any load. */
async function prepare(
  config: BenchConfig,
  client: ControlClient,
  load: RpcClient,
  options: Credentials['call'],
): Promise<Target> {
  const { batchSize, inputData, seed, modelName, modelVersion } = config;
  const model = await readModelIo(client, modelName, modelVersion).catch((thrown: unknown) => {
    if (!(thrown instanceof ShoalError) || thrown.code !== 'UNAVAILABLE') throw thrown;
    throw new ShoalError('UNAVAILABLE', `${config.url} does not answer: ${thrown.message}`, { cause: thrown });
  });
  checkBatchSize(model, batchSize);
  const data = chooseData(model, { inputData, shapes: parseShapes(config.shape), random: seededRandom(seed) });
  const response = await load.unary(methodOf('ModelInfer'), serialiseRequest({ model, batchSize }, data[0]!), options);
  const { outputs, rawOutputContents } = scanInferResponse(response);
  return { model, data, outputSizes: new Map(outputs.map(({ name }, i) => [name, rawOutputContents[i]?.length ?? 0])) };
}

function methodOf(name: 'ModelInfer' | 'ModelStreamInfer'): MethodDefinition<Buffer, Buffer> {
  return inferenceService[name] as MethodDefinition<Buffer, Buffer>;
}

function openSender(
  config: BenchConfig,
  client: RpcClient,
  next: NextRequest,
  options: Credentials['call'],
): OpenSender {
  const { requestTimeout: timeoutMs, streaming, connections } = config;
  if (!streaming) {
    const method = methodOf('ModelInfer');
    return unarySender({ client, next, method, ...options, ...(timeoutMs > 0 && { timeoutMs }) });
  }
  const streams = config.streams > 0 ? config.streams : connections;
  const method = methodOf('ModelStreamInfer');
  return streamSender({ client, next, streams, method, readAnswer: readStreamAnswer, ...options });
}

async function measure(
  config: BenchConfig,
  deps: BenchDeps,
  client: ControlClient,
  open: OpenSender,
  level: LoadLevel,
  onProgress: (progress: Progress) => void,
): Promise<BenchRow> {
  const { modelName, serverPid, batchSize, seed } = config;
  const { clock, createPacer, signal } = deps;
  const counters: (ServerCounters | undefined)[] = [];
  const trees: ProcessUse[][] = [];
  const result = await runLevel({
    ...{ level, open, clock, createPacer, drainMs, onProgress },
    random: seededRandom(seed),
    warmupMs: config.warmupInterval,
    measureMs: config.measurementInterval,
    async onWindow(edge) {
      // CPU is read next to the window's edges; the counters come when the busy server answers.
      if (serverPid > 0 && edge === 'end') trees.push(processTree(serverPid));
      counters.push(await readCounters(client, modelName));
      if (serverPid > 0 && edge === 'begin') trees.push(processTree(serverPid));
    },
    ...(signal && { signal }),
  });
  const [before, after] = counters;
  return toRow(result, {
    batchSize,
    percent: config.percentile,
    server: before && after && figuresBetween(before, after),
    processes: useBetween(trees[0] ?? [], trees[1] ?? []),
  });
}
