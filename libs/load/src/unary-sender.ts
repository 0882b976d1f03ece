import type { ShoalError } from '@shoal/core';
import type { Metadata, MethodDefinition, RpcClient } from '@shoal/rpc';
import type { NextRequest, OpenSender } from './sender';

export interface UnarySenderOptions {
  readonly client: RpcClient;
  readonly method: MethodDefinition<Buffer, Buffer>;
  readonly next: NextRequest;
  /** Each call's deadline. Default: none. */
  readonly timeoutMs?: number;
  /** Of each call. */
  readonly headers?: Metadata;
}

/** Sends each request as a unary call. */
export function unarySender({ client, method, next, timeoutMs, headers }: UnarySenderOptions): OpenSender {
  return (ended) => {
    const listener = {
      answered: (slot: number) => ended(slot, undefined),
      failed: (slot: number, error: ShoalError) => ended(slot, error),
    };
    const options = { ...(timeoutMs !== undefined && { timeoutMs }), ...(headers && { headers }) };
    const caller = client.unaryCaller(method.path, listener, options);
    return {
      send: (slot) => caller.call(next(slot), slot),
      // The client is its owner's to close.
      close: () => undefined,
    };
  };
}
