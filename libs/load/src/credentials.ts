import { readFileSync } from 'node:fs';
import type { ConfigOf, FlagTable } from '@shoal/config';
import { ShoalError } from '@shoal/core';
import type { ClientTlsOptions, Metadata } from '@shoal/rpc';

/** How a client shows who it is, and learns who it talks to. TLS options are named as tritonclient's and perf_analyzer's. */
export const credentialFlags = {
  apiKey: {
    name: 'api-key',
    type: 'string',
    default: '',
    value: 'KEY',
    help: 'Sent as x-api-key where the server wants one. Better in the environment: others on this machine see arguments.',
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

type CredentialConfig = ConfigOf<typeof credentialFlags>;
type FileFlag = 'rootCertificates' | 'clientKey' | 'clientCertificate';

/** For a client and for its calls. */
export interface Credentials {
  /** Absent: not encrypted. */
  readonly client: { readonly tls?: ClientTlsOptions };
  readonly call: { readonly headers?: Metadata };
}

/**
 * What the flags say; files are read now.
 * @throws ShoalError INVALID_ARGUMENT for a file that cannot be read, and for files without TLS: a key would travel in the clear.
 */
export function credentialsOf(config: CredentialConfig): Credentials {
  const { apiKey } = config;
  const tls = tlsOf(config);
  return {
    client: tls ? { tls } : {},
    call: apiKey === '' ? {} : { headers: { 'x-api-key': apiKey } },
  };
}

function tlsOf(config: CredentialConfig): ClientTlsOptions | undefined {
  if (!config.useSsl) {
    const given = (['rootCertificates', 'clientKey', 'clientCertificate'] as const).find((flag) => config[flag] !== '');
    if (given === undefined) return undefined;
    throw wrong(
      `--${credentialFlags[given].name} needs --${credentialFlags.useSsl.name}: without it nothing is encrypted`,
    );
  }
  if ((config.clientKey === '') !== (config.clientCertificate === '')) {
    const { clientKey, clientCertificate } = credentialFlags;
    throw wrong(`--${clientKey.name} and --${clientCertificate.name} are a pair: one needs the other`);
  }
  const ca = contents(config, 'rootCertificates');
  const key = contents(config, 'clientKey');
  const cert = contents(config, 'clientCertificate');
  return { ...(ca && { ca }), ...(key && { key }), ...(cert && { cert }) };
}

function contents(config: CredentialConfig, flag: FileFlag): Buffer | undefined {
  const path = config[flag];
  if (path === '') return undefined;
  try {
    return readFileSync(path);
  } catch (cause) {
    throw wrong(`--${credentialFlags[flag].name} ${path}: it cannot be read`, cause);
  }
}

function wrong(message: string, cause?: unknown): ShoalError {
  return new ShoalError('INVALID_ARGUMENT', message, { cause });
}
