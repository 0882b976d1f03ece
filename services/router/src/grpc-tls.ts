import { type Clock, ShoalError } from '@shoal/core';
import { TlsFiles } from '@shoal/rpc';
import type { Logger } from '@shoal/telemetry';
import type { RouterConfig } from './flags';

export type GrpcTlsConfig = Pick<
  RouterConfig,
  'grpcUseSsl' | 'grpcUseSslMutual' | 'grpcServerCert' | 'grpcServerKey' | 'grpcRootCert'
>;

/**
 * The certificate files of the public port, which are followed until they are closed; undefined where it does not encrypt.
 * @throws ShoalError INVALID_ARGUMENT for options that lack others, and for files that cannot be read or used
 */
export async function openGrpcTls(config: GrpcTlsConfig, clock: Clock, logger: Logger): Promise<TlsFiles | undefined> {
  const cert = { flag: '--grpc-server-cert', path: config.grpcServerCert };
  const key = { flag: '--grpc-server-key', path: config.grpcServerKey };
  const ca = { flag: '--grpc-root-cert', path: config.grpcRootCert };
  const mutual = config.grpcUseSslMutual;
  if (!config.grpcUseSsl && !mutual) {
    for (const { flag, path } of [cert, key, ca]) {
      if (path !== '') logger.warn(`${flag} has no effect without --grpc-use-ssl: calls are not encrypted`);
    }
    return undefined;
  }
  const missing = [cert, key, ...(mutual ? [ca] : [])].filter(({ path }) => path === '').map(({ flag }) => flag);
  if (missing.length > 0) {
    const given = mutual ? '--grpc-use-ssl-mutual' : '--grpc-use-ssl';
    throw new ShoalError('INVALID_ARGUMENT', `${given} needs ${missing.join(' and ')}, each with a PEM file`);
  }
  return TlsFiles.open({ cert, key, ...(mutual && { ca }) }, clock, logger);
}
