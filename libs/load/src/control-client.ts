import { ShoalError } from '@shoal/core';
import { type CallOptions, type MethodDefinition, type RpcClient, loadService } from '@shoal/rpc';

/** The service that is loaded. */
export const inferenceService = loadService('inference/grpc_service.proto', 'inference.GRPCInferenceService');

/** Rare calls with decoded messages. */
export interface ControlClient {
  /** @throws ShoalError as the server says. */
  call<Res>(method: string, request: object): Promise<Res>;
  /** Undefined where the server does not have the method, or not for this client. */
  optional<Res>(method: string, request: object): Promise<Res | undefined>;
}

/** Not even a busy server should take longer for a question about itself. */
const timeoutMs = 30_000;

/** Calls of the inference service by method name. */
export function controlClient(client: RpcClient, options: Pick<CallOptions, 'headers'> = {}): ControlClient {
  const call = <Res>(method: string, request: object) =>
    client.unary(inferenceService[method] as MethodDefinition<object, Res>, request, { ...options, timeoutMs });
  return {
    call,
    async optional<Res>(method: string, request: object) {
      try {
        return await call<Res>(method, request);
      } catch (thrown) {
        if (thrown instanceof ShoalError && /^(?:UNIMPLEMENTED|PERMISSION_DENIED)$/.test(thrown.code)) return undefined;
        throw thrown;
      }
    },
  };
}
