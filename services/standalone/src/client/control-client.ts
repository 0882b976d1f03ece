import { readFileSync } from 'node:fs';
import type { ConfigOf, FlagTable } from '@shoal/config';
import { ShoalError } from '@shoal/core';
import { type ClientTlsOptions, createClient, loadService } from '@shoal/rpc';

/** How commands reach a running server. */
export const controlFlags = {
  url: {
    name: 'url',
    type: 'string',
    default: '127.0.0.1:8001',
    value: 'HOST:PORT',
    help: 'Any router of the cluster, or `shoal serve`; or unix:PATH.',
  },
  apiKey: {
    name: 'api-key',
    type: 'string',
    default: '',
    value: 'KEY',
    help: 'Sent as x-api-key where the server wants one. Better in the environment: others on this machine see arguments.',
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
  useSsl: {
    name: 'ssl-grpc-use-ssl',
    type: 'boolean',
    default: false,
    value: 'BOOL',
    help: 'Encrypts the connection (TLS).',
  },
  rootCertificates: {
    name: 'ssl-grpc-root-certifications-file',
    type: 'string',
    default: '',
    value: 'FILE',
    help: 'The authorities that the server’s certificate must come from, in PEM. Empty: those of the system.',
  },
  clientKey: {
    name: 'ssl-grpc-private-key-file',
    type: 'string',
    default: '',
    value: 'FILE',
    help: 'This client’s own key, in PEM, for servers that demand a certificate.',
  },
  clientCertificate: {
    name: 'ssl-grpc-certificate-chain-file',
    type: 'string',
    default: '',
    value: 'FILE',
    help: 'And its certificate.',
  },
} as const satisfies FlagTable;

export type ControlConfig = ConfigOf<typeof controlFlags>;

/** Calls one service of a running server. */
export interface ControlClient {
  /** @throws ShoalError with the status that the server sent. */
  call<Res>(method: string, request: object): Promise<Res>;
  close(): void;
}

/**
 * A client of one service, e.g. `shoal.control.v1.TrafficControl`; it connects with the first call.
 * @throws ShoalError INVALID_ARGUMENT for a file that cannot be read.
 */
export function controlClient(config: ControlConfig, protoFile: string, service: string): ControlClient {
  const methods = loadService(protoFile, service);
  const tls = tlsOptions(config);
  const client = createClient(config.url, { ...(tls && { tls }) });
  return {
    call<Res>(name: string, request: object) {
      const method = methods[name];
      if (!method) throw new Error(`${service} has no method ${name}`);
      return client.unary(method, request, {
        timeoutMs: config.timeoutSecs * 1000,
        ...(config.apiKey !== '' && { headers: { 'x-api-key': config.apiKey } }),
      }) as Promise<Res>;
    },
    close: () => client.close(),
  };
}

function tlsOptions(config: ControlConfig): ClientTlsOptions | undefined {
  const { rootCertificates, clientKey, clientCertificate } = config;
  if (!config.useSsl) return undefined;
  return {
    ...(rootCertificates !== '' && { ca: file(controlFlags.rootCertificates.name, rootCertificates) }),
    ...(clientKey !== '' && { key: file(controlFlags.clientKey.name, clientKey) }),
    ...(clientCertificate !== '' && { cert: file(controlFlags.clientCertificate.name, clientCertificate) }),
  };
}

function file(flag: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new ShoalError('INVALID_ARGUMENT', `--${flag} ${path}: it cannot be read`, { cause });
  }
}
