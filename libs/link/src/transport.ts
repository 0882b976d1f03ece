import { type Clock, ShoalError } from '@shoal/core';
import type { GrpcCarrier } from '@shoal/rpc';
import { type LinkTls, linkTlsSides } from './grpc/link-tls';
import { connectGrpc, listenGrpc } from './grpc/carrier';
import { Connections } from './grpc/connections';
import { InProcessCarrier } from './in-process';
import type { LinkTransport } from './link';
import { defaultSharedMemoryBytes, sharedMemoryBudget } from './shared/shared-memory-budget';

export interface TransportOptions {
  readonly clock: Clock;
  /** What carries links between processes. Both ends may differ in it. Default: rpc's own. */
  readonly carrier?: GrpcCarrier;
  /**
   * Most bytes of this machine's shared memory that large tensors may take on their way out of this process, in any case
   * at most a quarter of it. 0 = none: they travel over the links' sockets. Default 1 GiB.
   */
  readonly sharedMemoryBytes?: number;
  /** Links over TCP are mutual TLS. Without it whoever reaches their addresses may open them. */
  readonly tls?: LinkTls;
  /** Hears of receivers that threw and of frames that could not be read. */
  readonly logger?: { error(message: string, fields?: Readonly<Record<string, string>>): void };
}

/**
 * Opens and accepts links, choosing the carrier by the address: `inproc:NAME` within this transport (hand the same one
 * to whoever should meet), `unix:PATH` or `HOST:PORT` over a gRPC stream.
 */
export function createTransport(options: TransportOptions): LinkTransport {
  const onError = (thrown: unknown) => {
    const message = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    if (options.logger) options.logger.error('a link receiver failed', { error: message });
    else process.emitWarning(message, 'LinkReceiverError');
  };
  const inProcess = new InProcessCarrier(onError);
  const tls = options.tls && linkTlsSides(options.tls);
  const connections = new Connections(options.clock, options.carrier, tls?.client);
  const sharedMemory = sharedMemoryBudget(options.sharedMemoryBytes ?? defaultSharedMemoryBytes);
  const grpc = {
    clock: options.clock,
    onError,
    ...(options.carrier && { carrier: options.carrier }),
    ...(sharedMemory && { sharedMemory }),
    ...(tls && { tls: tls.server }),
  };
  return {
    // async: what is thrown becomes a rejection, as on the other carrier.
    listen: async (address, self, accept) =>
      isInProcess(address) ? inProcess.listen(address, self, accept) : listenGrpc(address, self, accept, grpc),
    connect: async (address, self, { timeoutMs, signal } = {}) => {
      if (signal?.aborted) throw new ShoalError('UNAVAILABLE', `no link to ${address}: cancelled`);
      if (isInProcess(address)) return inProcess.connect(address, self);
      return connectGrpc(
        address,
        self,
        { ...(timeoutMs !== undefined && { timeoutMs }), ...(signal && { signal }) },
        grpc,
        connections,
      );
    },
  };
}

function isInProcess(address: string): boolean {
  return address.startsWith('inproc:');
}
