import type { CallContext } from '@shoal/rpc';
import type { Caller } from './caller';

/** Who makes a call, for those who ask later who it was: `TENANT/KEY-ID from PEER`, and the peer alone where nobody was asked. */
export function authorOf({ peer }: Pick<CallContext, 'peer'>, caller: Caller | undefined): string {
  if (!caller) return peer;
  return `${caller.tenant}${caller.keyId === '' ? '' : `/${caller.keyId}`} from ${peer}`;
}
