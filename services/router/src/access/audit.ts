import type { CallContext } from '@shoal/rpc';
import type { Logger } from '@shoal/telemetry';
import type { Caller } from './caller';
import { clip } from './clip';
import { groupOf } from './groups';
import { modelOf } from './request-model';

/** Writes one line for a call that may change what the server does, whatever came of it. Never what it carried. */
export function audit(
  logger: Logger,
  call: CallContext,
  caller: Caller | undefined,
  request: unknown,
  code: string,
): void {
  if (code === 'OK' && onlyReads(request)) return;
  const model = modelOf(call.path, request);
  logger.audit('control call', {
    tenant: caller?.tenant,
    key: caller?.keyId === '' ? undefined : caller?.keyId,
    peer: clip(call.peer, 128),
    call: clip(call.path.slice(1), 128),
    group: groupOf(call.path),
    model: model === undefined ? undefined : clip(model, 256),
    code,
  });
}

/** LogSettings and TraceSetting without settings only ask. */
function onlyReads(request: unknown): boolean {
  if (typeof request !== 'object' || request === null || !('settings' in request)) return false;
  const { settings } = request;
  return typeof settings === 'object' && settings !== null && Object.keys(settings).length === 0;
}
