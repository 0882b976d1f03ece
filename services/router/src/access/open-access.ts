import { type Bus, type RouterAnnouncement, routersPrefix } from '@shoal/bus';
import { isLoopback } from '@shoal/config';
import type { Clock } from '@shoal/core';
import type { Logger } from '@shoal/telemetry';
import type { RouterConfig } from '../flags';
import { type FileAccess, followAuthFile } from './follow-auth-file';

export interface OpenAccessParts {
  readonly bus: Bus;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly config: RouterConfig;
  /** Clients are served over TLS. */
  readonly encrypted: boolean;
}

/**
 * Who may call, where a file says that; the routers that live share what tenants may use. Undefined without a file.
 * @throws ShoalError INVALID_ARGUMENT as `readAuthFile`.
 */
export function openAccess({ bus, clock, logger, config, encrypted }: OpenAccessParts): FileAccess | undefined {
  if (config.authFile === '') return undefined;
  const followed = followAuthFile(config.authFile, clock, logger);
  if (config.allowGrpc && !encrypted && !isLoopback(config.grpcAddress)) {
    logger.warn(
      'keys travel unencrypted to an address that others can reach: --grpc-use-ssl keeps them from being read on the way',
    );
  }
  const routers = new Set<string>();
  const unwatch = bus.watch<RouterAnnouncement>(routersPrefix, (key, value) => {
    if (value) routers.add(key);
    else routers.delete(key);
    followed.access.share(Math.max(1, routers.size));
  });
  return {
    access: followed.access,
    close() {
      unwatch();
      followed.close();
    },
  };
}
