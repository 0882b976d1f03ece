import { type MethodDefinition, Server, type ServiceDefinition, logVerbosity, setLogVerbosity } from '@grpc/grpc-js';
import { ShoalError } from '@shoal/core';
import { defaultMaxMessageBytes, farewellMs } from '../defaults';
import { serverCodec } from '../method';
import type { Handlers, RpcServer, ServerSettings, ServiceOptions, TlsOptions } from '../server';
import type { Renewable } from '../tls/renewable';
import { checkUnixPath, removeStaleSocket, unixPath } from '../unix-socket';
import { type AdapterContext, adapt } from './adapt';
import { type OpenConnections, openUp } from './http2-access';
import { serverCredentials } from './tls';

/** How long the calls of a connection that has reached its age may go on. */
const defaultAgeGraceMs = 600_000;

/**
 * A gRPC server on grpc-js. What grpc-js cannot do: it reads compressed requests and never compresses responses
 * (`responseCompression`), and it counts neither the bytes of requests that have come in part (`maxPartialBytes`) nor those
 * of answers that wait (`maxWaitingBytes`).
 */
export function createGrpcJsServer(settings: ServerSettings): RpcServer {
  const server = new Server({
    'grpc.max_receive_message_length': settings.maxMessageBytes ?? defaultMaxMessageBytes,
    'grpc.max_send_message_length': -1,
    // Its books cost a few microseconds a call and nobody reads them.
    'grpc.enable_channelz': 0,
    ...(settings.keepaliveMs !== undefined && {
      'grpc.keepalive_time_ms': settings.keepaliveMs,
      'grpc.keepalive_timeout_ms': settings.keepaliveTimeoutMs ?? settings.keepaliveMs,
    }),
    ...(settings.maxConnectionAgeMs !== undefined && {
      'grpc.max_connection_age_ms': settings.maxConnectionAgeMs,
      'grpc.max_connection_age_grace_ms': settings.maxConnectionAgeGraceMs ?? defaultAgeGraceMs,
    }),
  });
  quieten();
  const connections = openUp(server, settings.clock);
  const context: AdapterContext = {
    clock: settings.clock,
    report: (thrown, path) => settings.onError?.(thrown, path),
    running: new Set(),
    meter: undefined,
  };
  let drained: Promise<void> | undefined;
  return {
    addService: (definition, handlers, options) =>
      addService(server, context, settings.meterOf, definition, handlers, options),
    listen: (address, tls) => listen(server, address, tls),
    drain: (graceMs) => (drained ??= drain(server, connections, context, graceMs)),
  };
}

function addService(
  server: Server,
  context: AdapterContext,
  meterOf: ServerSettings['meterOf'],
  definition: ServiceDefinition,
  handlers: Handlers,
  options: ServiceOptions = {},
): void {
  for (const [name, handler] of Object.entries(handlers)) {
    const method = definition[name] as MethodDefinition<unknown, unknown> | undefined;
    if (!method) throw new Error(`there is no method ${name} in this service`);
    const codec = serverCodec(method, {
      passthrough: options.passthrough?.includes(name) ?? false,
      large: options.large?.includes(name) ?? false,
    });
    // grpc-js passes bytes only: what it makes of a message that cannot be decoded is INTERNAL.
    const bytes = { ...method, requestDeserialize: sameBytes, responseSerialize: sameBytes };
    server.addService(
      { [name]: bytes },
      { [name]: adapt(method, handler, codec, { ...context, meter: meterOf?.(method.path) }) },
    );
  }
}

function sameBytes(bytes: Buffer): Buffer {
  return bytes;
}

async function listen(
  server: Server,
  address: string,
  tls: TlsOptions | Renewable<TlsOptions> | undefined,
): Promise<number> {
  const credentials = serverCredentials(tls);
  const path = unixPath(address);
  if (path !== undefined) {
    checkUnixPath(path);
    await removeStaleSocket(path);
  }
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, port) => {
      if (!error) return resolve(path === undefined ? port : 0);
      const reason = /\bE[A-Z]{3,}\b/.exec(error.message)?.[0];
      const text = reason === 'EADDRINUSE' ? 'the address is in use' : (reason ?? 'the address cannot be bound');
      reject(new ShoalError('UNAVAILABLE', `cannot listen at ${address}: ${text}`, { cause: error }));
    });
  });
}

/** GOAWAY to all clients; then the running calls have their grace, and a moment to hear that it is over. */
async function drain(
  server: Server,
  { sessions, handshaking }: OpenConnections,
  context: AdapterContext,
  graceMs: number,
): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    // Its only error is that the server never listened.
    server.tryShutdown(() => resolve());
  });
  for (const socket of [...handshaking.values()]) socket.destroy();
  let cancelForce: (() => void) | undefined;
  const cancelGrace = context.clock.schedule(graceMs, () => {
    const over = new ShoalError('UNAVAILABLE', 'the server is shutting down');
    for (const call of [...context.running]) call.abandon(over);
    cancelForce = context.clock.schedule(farewellMs, () => {
      for (const session of [...sessions]) session.destroy();
      server.forceShutdown();
    });
  });
  await closed;
  cancelGrace();
  cancelForce?.();
}

/** grpc-js writes some failures to stderr, past the log; all of them reach us as errors. Its own variable still counts. */
function quieten(): void {
  if (process.env['GRPC_VERBOSITY'] === undefined) setLogVerbosity(logVerbosity.NONE);
}
