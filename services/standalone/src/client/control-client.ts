import type { ConfigOf, FlagTable } from '@shoal/config';
import { credentialFlags, credentialsOf } from '@shoal/load';
import { type CallOptions, type RpcClient, createClient, loadService } from '@shoal/rpc';

/** How commands reach a running server. */
export const controlFlags = {
  url: {
    name: 'url',
    type: 'string',
    default: '127.0.0.1:8001',
    value: 'HOST:PORT',
    help: 'Any router of the cluster, or `shoal serve`; or unix:PATH.',
  },
  timeoutSecs: {
    name: 'timeout-secs',
    type: 'number',
    default: 30,
    min: 0.1,
    max: 86_400,
    value: 'SECONDS',
    help: 'How long the server may take to answer.',
  },
  ...credentialFlags,
} as const satisfies FlagTable;

export type ControlConfig = ConfigOf<typeof controlFlags>;

/** Calls one service of a running server. */
export interface ControlClient {
  /** @throws ShoalError with the status that the server sent. */
  call<Res>(method: string, request: object): Promise<Res>;
  close(): void;
}

/** A connection to a running server, and what each call of it takes along. */
export interface Connection {
  readonly client: RpcClient;
  readonly options: Pick<CallOptions, 'headers' | 'timeoutMs'>;
}

/** It connects with the first call. @throws ShoalError INVALID_ARGUMENT as `credentialsOf`. */
export function connect(config: ControlConfig): Connection {
  const credentials = credentialsOf(config);
  const options = { timeoutMs: config.timeoutSecs * 1000, ...credentials.call };
  return { client: createClient(config.url, credentials.client), options };
}

/**
 * A client of one service, e.g. `shoal.control.v1.TrafficControl`; it connects with the first call.
 * @throws ShoalError INVALID_ARGUMENT as `credentialsOf`.
 */
export function controlClient(config: ControlConfig, protoFile: string, service: string): ControlClient {
  const methods = loadService(protoFile, service);
  const { client, options } = connect(config);
  return {
    call<Res>(name: string, request: object) {
      const method = methods[name];
      if (!method) throw new Error(`${service} has no method ${name}`);
      return client.unary(method, request, options) as Promise<Res>;
    },
    close: () => client.close(),
  };
}
