import { ShoalError } from '@shoal/core';
import type { Caller } from './caller';
import { groupOf } from './groups';

/** Fields in which requests name their model; `name` is something else where shared memory is concerned. */
interface NamingRequest {
  readonly model_name?: unknown;
  readonly model?: unknown;
  readonly name?: unknown;
}

/** The model that a decoded request is about; undefined: about none. Inference's requests are bytes, and looked at later. */
export function modelOf(path: string, request: unknown): string | undefined {
  if (typeof request !== 'object' || request === null || Buffer.isBuffer(request)) return undefined;
  const { model_name: modelName, model, name }: NamingRequest = request;
  const named = modelName ?? model ?? (groupOf(path) === 'shared-memory' ? undefined : name);
  return typeof named === 'string' && named !== '' ? named : undefined;
}

/**
 * Lets a decoded request pass to those who may use its model. A call that changes things and names no model concerns all of them.
 * @throws ShoalError PERMISSION_DENIED
 */
export function checkRequest(caller: Caller, path: string, request: unknown): void {
  const model = modelOf(path, request);
  if (model !== undefined) caller.checkModel(model);
  else if (concernsAll(path) && !caller.allModels) {
    const text = `tenant '${caller.tenant}' may make this call for its own models only: it must name one`;
    throw new ShoalError('PERMISSION_DENIED', text);
  }
}

function concernsAll(path: string): boolean {
  const group = groupOf(path);
  return group === 'traffic' || group === 'control' || group === 'trace';
}

/** Takes from a response what it says of models that the caller may not use. */
export function withoutOthers(caller: Caller, path: string, response: unknown): unknown {
  if (caller.allModels || typeof response !== 'object' || response === null) return response;
  const list = lists[path];
  if (list === undefined) return response;
  const entries = (response as Readonly<Record<string, readonly { readonly name: string }[]>>)[list] ?? [];
  return { ...response, [list]: entries.filter(({ name }) => caller.mayUse(name)) };
}

/** Calls that list models, and where. */
const lists: Readonly<Record<string, string>> = {
  '/inference.GRPCInferenceService/RepositoryIndex': 'models',
  '/inference.GRPCInferenceService/ModelStatistics': 'model_stats',
  '/shoal.control.v1.Batching/ListQueues': 'queues',
};
