import { ShoalError } from '@shoal/core';
import type { LoadRequest, ModelDesires } from '@shoal/placement';
import { errorTexts } from '@shoal/protocol';
import { type CallContext, type Handlers, callSpan } from '@shoal/rpc';
import { authorOf } from '../access/author';
import type { Caller } from '../access/caller';
import type { Catalog } from '../catalog/catalog';
import { repositoryIndex } from '../catalog/repository-index';

/** A ModelRepositoryParameter; the oneof's chosen member is named by `parameter_choice`. */
interface RepositoryParameter {
  readonly parameter_choice?: string;
  readonly bool_param?: boolean;
  readonly string_param?: string;
  readonly bytes_param?: Buffer;
}

interface RepositoryRequest {
  readonly repository_name: string;
  readonly model_name: string;
  readonly parameters: Readonly<Record<string, RepositoryParameter>>;
}

/** What the repository holds, and the calls that load and unload its models. */
export function repositoryHandlers(catalog: Catalog, desires: ModelDesires): Handlers {
  return {
    RepositoryIndex(request: { readonly repository_name: string; readonly ready: boolean }) {
      refuseRepositoryName(request.repository_name);
      return { models: repositoryIndex(catalog, request.ready) };
    },
    // Both wait for as long as it takes: the model-workers bound loading, and their answer is the client's.
    async RepositoryModelLoad(request: RepositoryRequest, call: CallContext, caller?: Caller) {
      refuseRepositoryName(request.repository_name);
      await desires.load({ ...loadCall(request), by: authorOf(call, caller), trace: callSpan(call) });
      return {};
    },
    async RepositoryModelUnload(request: RepositoryRequest, call: CallContext, caller?: Caller) {
      refuseRepositoryName(request.repository_name);
      await desires.unload(unloadCall(request), authorOf(call, caller));
      return {};
    },
  };
}

function refuseRepositoryName(name: string): void {
  if (name !== '') throw new ShoalError('UNIMPLEMENTED', "'repository_name' specification is not supported");
}

function loadCall({ model_name: model, parameters }: RepositoryRequest): Omit<LoadRequest, 'by'> {
  let config: string | undefined;
  const files: [path: string, bytes: Buffer][] = [];
  for (const [key, parameter] of Object.entries(parameters)) {
    if (key === 'config') {
      if (parameter.parameter_choice !== 'string_param') throw wrongType('load', key, 'string_param');
      config = parameter.string_param ?? '';
    } else if (key.startsWith('file:')) {
      if (parameter.parameter_choice !== 'bytes_param') throw wrongType('load', key, 'bytes_param');
      files.push([key.slice('file:'.length), parameter.bytes_param ?? Buffer.alloc(0)]);
    } else {
      throw unrecognized('load', key);
    }
  }
  return {
    model,
    ...(config !== undefined && { config }),
    ...(files.length > 0 && { files }),
  };
}

/** The model's name; ensembles, whose parts `unload_dependents` is about, are not served. */
function unloadCall({ model_name: model, parameters }: RepositoryRequest): string {
  for (const [key, parameter] of Object.entries(parameters)) {
    if (key !== 'unload_dependents') throw unrecognized('unload', key);
    if (parameter.parameter_choice !== 'bool_param') throw wrongType('unload', key, 'bool_param');
  }
  return model;
}

function wrongType(action: string, key: string, expected: string): ShoalError {
  const text = `invalid value type for ${action} parameter '${errorTexts.clip(key)}', expected ${expected}.`;
  return new ShoalError('INVALID_ARGUMENT', text);
}

function unrecognized(action: string, key: string): ShoalError {
  return new ShoalError('INVALID_ARGUMENT', `unrecognized ${action} parameter '${errorTexts.clip(key)}'.`);
}
