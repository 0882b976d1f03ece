import { type Clock, ShoalError } from '@shoal/core';
import { InProcessCarrier } from './in-process';
import type { LinkTransport } from './link';

export interface TransportOptions {
  readonly clock: Clock;
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
  return {
    // async: what is thrown becomes a rejection, as on the other carriers.
    listen: async (address, self, accept) => {
      if (address.startsWith('inproc:')) return inProcess.listen(address, self, accept);
      throw new ShoalError('UNIMPLEMENTED', `no link carrier for ${address}`);
    },
    connect: async (address, self, connectOptions) => {
      if (connectOptions?.signal?.aborted)
        throw new ShoalError('UNAVAILABLE', `connecting to ${address} was cancelled`);
      if (address.startsWith('inproc:')) return inProcess.connect(address, self);
      throw new ShoalError('UNIMPLEMENTED', `no link carrier for ${address}`);
    },
  };
}
