import { ShoalError } from '@shoal/core';
import { loadService } from './load-service';
import type { RpcServer, StreamCall } from './server';

export type ServingStatus = 'SERVING' | 'NOT_SERVING';

/** Where the health service learns what to say. */
export interface HealthSource {
  status(): ServingStatus;
  /** Calls `changed` after each change of `status`; returns what stops that. */
  onChange(changed: () => void): () => void;
  /** Of a service that has a status of its own; undefined: there is no such service. Default: none has. */
  statusOf?(service: string): ServingStatus | undefined;
  /**
   * True once the status will never change again: the server drains, and a `Watch` that stayed open would hold it up.
   * Asked after each change.
   */
  ended?(): boolean;
}

interface HealthRequest {
  readonly service: string;
}

/**
 * Adds grpc.health.v1.Health. Check speaks of the whole server where a service is named that it does not know, as Triton does; Watch
 * follows the standard: SERVICE_UNKNOWN for a service that is not known, and a message at each change.
 */
export function addHealth(server: RpcServer, source: HealthSource): void {
  server.addService(loadService('grpc/health/v1/health.proto', 'grpc.health.v1.Health'), {
    Check: ({ service }: HealthRequest) => ({ status: source.statusOf?.(service) ?? source.status() }),
    Watch: (request: HealthRequest, call: StreamCall<never, { status: string }>) => watch(source, request, call),
  });
}

function watch(source: HealthSource, { service }: HealthRequest, call: StreamCall<never, { status: string }>): void {
  const current = () => (service === '' ? source.status() : (source.statusOf?.(service) ?? 'SERVICE_UNKNOWN'));
  let told = current();
  call.write({ status: told });
  const farewell = () => {
    if (!source.ended?.()) return;
    stop();
    call.end(new ShoalError('UNAVAILABLE', 'the server is shutting down'));
  };
  const stop = source.onChange(() => {
    const status = current();
    if (status !== told) call.write({ status });
    told = status;
    farewell();
  });
  call.onCancel(stop);
  farewell();
}
