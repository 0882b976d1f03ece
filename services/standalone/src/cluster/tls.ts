import { resolve } from 'node:path';
import { type Clock, ShoalError } from '@shoal/core';
import type { LinkTls } from '@shoal/link';
import { type TlsFile, type TlsFilePaths, TlsFiles } from '@shoal/rpc';
import type { Logger } from '@shoal/telemetry';
import type { ClusterConfig, ExplainProcessConfig } from './flags';

/** Files that a process's links are secured with. */
export interface LinkSecurity {
  readonly files: TlsFiles;
  /** In every certificate of the cluster. */
  readonly name: string;
}

/** For a transport. */
export function transportTls(link: LinkSecurity | undefined): { readonly tls?: LinkTls } {
  return link ? { tls: { material: link.files, name: link.name } } : {};
}

/** Whether links are to be encrypted and authenticated. */
export function hasLinkTls({ linkCert, linkKey, linkCa }: LinkFlags): boolean {
  return linkCert !== '' || linkKey !== '' || linkCa !== '';
}

type LinkFlags = Pick<ClusterConfig, 'linkCert' | 'linkKey' | 'linkCa' | 'linkName'>;
type RouterAccess = Pick<ExplainProcessConfig, 'routerCa' | 'routerCert' | 'routerKey'>;
type NatsFlags = Pick<ClusterConfig, 'natsCa' | 'natsCert' | 'natsKey'>;

/**
 * The files of the links' certificates, which are followed until they are closed.
 * @throws ShoalError INVALID_ARGUMENT when one of the three is missing, or they cannot be used
 */
export async function openLinkTls(config: LinkFlags, clock: Clock, logger: Logger): Promise<LinkSecurity | undefined> {
  if (!hasLinkTls(config)) return undefined;
  const files = {
    cert: fileOf('--link-cert', config.linkCert),
    key: fileOf('--link-key', config.linkKey),
    ca: fileOf('--link-ca', config.linkCa),
  };
  const missing = Object.values(files).filter(({ path }) => path === '');
  if (missing.length > 0) {
    const names = missing.map(({ flag }) => flag).join(' and ');
    throw new ShoalError('INVALID_ARGUMENT', `links are secured by both sides, which needs ${names} too`);
  }
  return { files: await TlsFiles.open(files, clock, logger), name: config.linkName };
}

/**
 * The same for the connection to NATS, which reads them itself: here they are checked, and their log lines written.
 * @throws ShoalError INVALID_ARGUMENT
 */
export async function openNatsTls(config: NatsFlags, clock: Clock, logger: Logger): Promise<TlsFiles | undefined> {
  const given: [keyof TlsFilePaths, TlsFile][] = [
    ['ca', fileOf('--nats-ca', config.natsCa)],
    ['cert', fileOf('--nats-cert', config.natsCert)],
    ['key', fileOf('--nats-key', config.natsKey)],
  ];
  if ((config.natsCert === '') !== (config.natsKey === '')) {
    throw new ShoalError('INVALID_ARGUMENT', '--nats-cert and --nats-key are a pair: one needs the other');
  }
  const files: TlsFilePaths = Object.fromEntries(given.filter(([, { path }]) => path !== ''));
  return Object.keys(files).length === 0 ? undefined : TlsFiles.open(files, clock, logger);
}

/**
 * What routers' public ports are reached with; undefined: with the system's authorities.
 * @throws ShoalError INVALID_ARGUMENT for files that cannot be used
 */
export async function openRouterTls(config: RouterAccess, clock: Clock, logger: Logger): Promise<TlsFiles | undefined> {
  if ((config.routerCert === '') !== (config.routerKey === '')) {
    throw new ShoalError('INVALID_ARGUMENT', '--router-cert and --router-key are a pair: one needs the other');
  }
  const given: [keyof TlsFilePaths, TlsFile][] = [
    ['ca', fileOf('--router-ca', config.routerCa)],
    ['cert', fileOf('--router-cert', config.routerCert)],
    ['key', fileOf('--router-key', config.routerKey)],
  ];
  const files: TlsFilePaths = Object.fromEntries(given.filter(([, { path }]) => path !== ''));
  return Object.keys(files).length === 0 ? undefined : TlsFiles.open(files, clock, logger);
}

/** Runners have a working folder of their own, hence absolute. */
function fileOf(flag: string, path: string): TlsFile {
  return { flag, path: path === '' ? '' : resolve(path) };
}
