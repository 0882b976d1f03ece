import { toShoalError } from '@shoal/core';
import type { CallContext, Handlers, RpcServer, StreamCall } from '@shoal/rpc';
import type { Logger } from '@shoal/telemetry';
import type { Access } from './access';
import { audit } from './audit';
import type { Caller } from './caller';
import { isControl, isOpen } from './groups';
import { checkRequest, withoutOthers } from './request-model';
import type { Restrictions } from './restrictions';

export interface GuardParts {
  /** Undefined: everybody may do everything. */
  readonly access: Access | undefined;
  readonly restrictions: Restrictions;
  readonly logger: Logger;
}

type Guarded = (...args: readonly unknown[]) => unknown;

/**
 * A server whose handlers are only reached by those who may call them, and whose control calls leave a line in the log. It goes by
 * the methods' paths, so whatever service is added is guarded. Handlers get one argument more: the `Caller`, where there is one.
 * Methods that need no guard are added as they are.
 */
export function guardedServer(server: RpcServer, parts: GuardParts): RpcServer {
  return {
    addService(definition, handlers, options) {
      const guarded = Object.entries(handlers).map(([name, handler]) => {
        const method = definition[name];
        if (!method) return [name, handler] as const;
        const { path, requestStream } = method;
        return [name, guard(path, requestStream, handler as Guarded, parts)] as const;
      });
      server.addService(definition, Object.fromEntries(guarded) as Handlers, options);
    },
    listen: (address, tls) => server.listen(address, tls),
    drain: (graceMs) => server.drain(graceMs),
  };
}

function guard(path: string, requestStream: boolean, handler: Guarded, parts: GuardParts): Guarded {
  const checks = checksOf(path, parts);
  if (requestStream) return checks ? guardStream(handler, checks) : handler;
  if (isControl(path)) return auditing(path, handler, checks, parts.logger);
  return checks ? guardCall(path, handler, checks) : handler;
}

/** Says who makes a call. What that one may do is looked at next, so that a refusal can be written down with its name. */
type Checks = (call: CallContext, once: boolean) => Caller | undefined;

/** Undefined: there is nothing to check. */
function checksOf(path: string, { access, restrictions }: GuardParts): Checks | undefined {
  const keys = isOpen(path) ? undefined : access;
  if (!restrictions.concern(path)) return keys && ((call, once) => keys.identify(call, once));
  return (call, once) => {
    restrictions.check(call);
    return keys?.identify(call, once);
  };
}

function guardStream(handler: Guarded, checks: Checks): Guarded {
  return (call) => {
    const caller = checks(call as StreamCall<unknown, unknown>, false);
    caller?.checkGroup();
    return handler(call, caller);
  };
}

function guardCall(path: string, handler: Guarded, checks: Checks): Guarded {
  return (request, call) => {
    const caller = checks(call as CallContext, true);
    caller?.checkGroup();
    if (!caller || Buffer.isBuffer(request)) return handler(request, call, caller);
    checkRequest(caller, path, request);
    const response = handler(request, call, caller);
    if (!(response instanceof Promise)) return withoutOthers(caller, path, response);
    return response.then((value: unknown) => withoutOthers(caller, path, value));
  };
}

function auditing(path: string, handler: Guarded, checks: Checks | undefined, logger: Logger): Guarded {
  return async (request, context) => {
    const call = context as CallContext;
    let caller: Caller | undefined;
    try {
      caller = checks?.(call, true);
      caller?.checkGroup();
      if (caller) checkRequest(caller, path, request);
      const response = await handler(request, call, caller);
      audit(logger, call, caller, request, 'OK');
      return response;
    } catch (thrown) {
      audit(logger, call, caller, request, toShoalError(thrown).code);
      throw thrown;
    }
  };
}
