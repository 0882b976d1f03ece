import { toShoalError } from '@shoal/core';
import type { CallOptions, MethodDefinition, RpcClient } from '@shoal/rpc';
import type { NextRequest, OpenSender } from './sender';

export interface UnarySenderOptions {
  /** A passthrough client. */
  readonly client: RpcClient;
  readonly method: MethodDefinition<Buffer, Buffer>;
  readonly next: NextRequest;
  /** Each call's deadline. Default: none. */
  readonly timeoutMs?: number;
}

/** Sends each request as a unary call. */
export function unarySender({ client, method, next, timeoutMs }: UnarySenderOptions): OpenSender {
  const options: CallOptions = timeoutMs === undefined ? {} : { timeoutMs };
  return (ended) => ({
    send(slot) {
      client.unary(method, next(slot), options).then(
        () => ended(slot, undefined),
        (thrown: unknown) => ended(slot, toShoalError(thrown)),
      );
    },
    // The client is its owner's to close.
    close: () => undefined,
  });
}
