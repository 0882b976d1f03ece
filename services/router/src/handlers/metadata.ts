import type { ModelConfig } from '@shoal/protocol';
import type { Handlers } from '@shoal/rpc';
import type { Catalog } from '../catalog/catalog';
import { version } from '../version';

interface NamedRequest {
  readonly name: string;
  readonly version: string;
}

/** What Triton's clients look for; `sequence` and `cuda_shared_memory` are answered with reasons, not with results. */
const extensions = [
  'classification',
  'sequence',
  'model_repository',
  'model_repository(unload_dependents)',
  'schedule_policy',
  'model_configuration',
  'system_shared_memory',
  'cuda_shared_memory',
  'binary_tensor_data',
  'parameters',
  'statistics',
  'trace',
  'logging',
];

/** Health and description of the server and its models. */
export function metadataHandlers(catalog: Catalog, serverReady: () => boolean): Handlers {
  return {
    ServerLive: () => ({ live: true }),
    ServerReady: () => ({ ready: serverReady() }),
    ModelReady: (request: NamedRequest) => ({ ready: catalog.find(request.name, request.version) !== undefined }),
    // Clients and examples assert the name.
    ServerMetadata: () => ({ name: 'triton', version, extensions }),
    ModelMetadata: (request: NamedRequest) => modelMetadata(catalog, request),
    ModelConfig: (request: NamedRequest) => ({ config: catalog.resolve(request.name, request.version).config }),
  };
}

function modelMetadata(catalog: Catalog, request: NamedRequest) {
  const entry = catalog.resolve(request.name, request.version);
  const { config } = entry;
  const versions = request.version === '' ? catalog.readyVersions(request.name) : [entry];
  return {
    name: config.name,
    versions: versions.map((ready) => ready.version),
    platform: config.platform || config.backend,
    inputs: config.input.map((tensor) => tensorMetadata(tensor, config)),
    outputs: config.output.map((tensor) => tensorMetadata(tensor, config)),
  };
}

function tensorMetadata(
  tensor: ModelConfig['input'][number] | ModelConfig['output'][number],
  { max_batch_size: maxBatchSize }: ModelConfig,
) {
  const type = tensor.data_type.replace(/^TYPE_/, '');
  return {
    name: tensor.name,
    datatype: type === 'STRING' ? 'BYTES' : type,
    shape: maxBatchSize > 0 ? [-1, ...tensor.dims] : tensor.dims,
  };
}
