import type { Instances } from '@shoal/bus';
import type { Clock } from '@shoal/core';
import type { ModelDesires, PlacementView } from '@shoal/placement';
import {
  type CallMeter,
  type GrpcCarrier,
  type RpcServer,
  addHealth,
  addReflection,
  createServer,
  loadService,
  tracedServer,
} from '@shoal/rpc';
import type { LogControl, Logger, Tracing } from '@shoal/telemetry';
import type { Access } from './access/access';
import { guardedServer } from './access/guarded-server';
import { Restrictions } from './access/restrictions';
import type { Catalog } from './catalog/catalog';
import type { RouterConfig } from './flags';
import type { ExplainPeers } from './explain/explain-peers';
import { explainHandlers } from './handlers/explain';
import { inferHandlers } from './handlers/infer';
import { metadataHandlers } from './handlers/metadata';
import { batchingHandlers } from './handlers/batching';
import { modelControlHandlers } from './handlers/model-control';
import { repositoryHandlers } from './handlers/repository';
import { settingsHandlers } from './handlers/settings';
import { sharedMemoryHandlers } from './handlers/shared-memory';
import { statisticsHandlers } from './handlers/statistics';
import { type TrafficParts, trafficHandlers } from './handlers/traffic';
import type { InferStreams } from './infer/infer-streams';
import type { Inference } from './infer/inference';
import type { Readiness } from './readiness';
import { LogSettings } from './settings/log-settings';
import type { SharedSettings } from './settings/shared-settings';
import type { TraceSettings } from './settings/trace-settings';
import { controlSpans } from './tracing/control-spans';
import { inferMethods } from './tracing/request-traces';
import type { Regions } from './shared-memory/regions';

export interface ServerParts {
  /** Undefined: everybody may do everything. */
  readonly access: Access | undefined;
  /** The batching instances. */
  readonly batching: Instances;
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly config: RouterConfig;
  readonly desires: ModelDesires;
  readonly explainers: ExplainPeers;
  readonly inference: Inference;
  readonly logControl: LogControl;
  readonly logger: Logger;
  /** Undefined: calls are not measured. */
  readonly meterOf: ((path: string) => CallMeter) | undefined;
  readonly placement: PlacementView;
  readonly readiness: Readiness;
  readonly regions: Regions | undefined;
  readonly streams: InferStreams;
  /** Undefined: nothing is recorded. */
  readonly tracing: Tracing | undefined;
  readonly traceSettings: TraceSettings;
  readonly sharedSettings: SharedSettings;
  readonly traffic: TrafficParts;
}

/** Each request of theirs is looked at by itself. */
const ownSpans = new Set(Object.values(inferMethods).map((method) => `/${method}`));

const protoFile = 'inference/grpc_service.proto';
const trafficProto = 'shoal/control/v1/traffic.proto';
const modelsProto = 'shoal/control/v1/models.proto';
const batchingProto = 'shoal/control/v1/batching.proto';
const explainProto = 'shoal/explain/v1/explain.proto';

/** The public API on a server that does not listen yet; undefined where gRPC is turned off. */
export function buildServer(parts: ServerParts): RpcServer | undefined {
  const { catalog, clock, config, desires, inference, logger, streams } = parts;
  if (!config.allowGrpc) return undefined;
  const bare = createServer({
    clock,
    carrier: config.grpcCarrier as GrpcCarrier,
    maxMessageBytes: config.grpcMaxMessageBytes,
    ...(config.grpcMaxPartialBytes > 0 && { maxPartialBytes: config.grpcMaxPartialBytes }),
    ...(config.grpcMaxWaitingBytes > 0 && { maxWaitingBytes: config.grpcMaxWaitingBytes }),
    ...(parts.meterOf && { meterOf: parts.meterOf }),
    keepaliveMs: config.grpcKeepaliveTime,
    keepaliveTimeoutMs: config.grpcKeepaliveTimeout,
    onError(thrown, path) {
      const error = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
      logger.error('a call failed inside the server', { path, error });
    },
  });
  const restrictions = new Restrictions(config.grpcRestrictedProtocol);
  const seen = parts.tracing ? tracedServer(bare, clock, controlSpans(parts.tracing), ownSpans) : bare;
  const server = guardedServer(seen, { access: parts.access, restrictions, logger });
  server.addService(
    loadService(protoFile, 'inference.GRPCInferenceService'),
    {
      ...metadataHandlers(catalog, () => parts.readiness.ready),
      ...statisticsHandlers(catalog, parts.batching),
      ...repositoryHandlers(catalog, desires),
      ...settingsHandlers(catalog, parts.traceSettings, new LogSettings(parts.logControl), parts.sharedSettings),
      ...sharedMemoryHandlers(parts.regions),
      ...inferHandlers(inference, streams),
    },
    // A model may come with the call that loads it.
    { passthrough: ['ModelInfer', 'ModelStreamInfer'], large: ['RepositoryModelLoad'] },
  );
  server.addService(
    loadService(modelsProto, 'shoal.control.v1.ModelControl'),
    modelControlHandlers(catalog, parts.placement, desires),
  );
  server.addService(loadService(trafficProto, 'shoal.control.v1.TrafficControl'), trafficHandlers(parts.traffic));
  server.addService(loadService(batchingProto, 'shoal.control.v1.Batching'), batchingHandlers(parts.batching));
  const explainability = loadService(explainProto, 'shoal.explain.v1.Explainability');
  const explainMethods = Object.keys(explainability);
  server.addService(
    explainability,
    explainHandlers(explainability, parts.explainers, clock, parts.tracing?.propagator),
    {
      passthrough: explainMethods,
      large: ['Explain', 'ExplainStream', 'ExplainBatch', 'PutBackground'],
    },
  );
  addHealth(server, parts.readiness);
  addReflection(server, [
    protoFile,
    modelsProto,
    trafficProto,
    batchingProto,
    explainProto,
    'grpc/health/v1/health.proto',
  ]);
  return server;
}
