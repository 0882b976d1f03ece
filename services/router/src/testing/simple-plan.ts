import { VersionEntry } from '../catalog/version-entry';
import type { InferPlan } from '../requests/infer-plan';
import { simpleModel } from './model-configs';

/** A checked request of one row for the model `simple`, without tensors. `config` is what its config says otherwise. */
export function simplePlan(config: object = {}, generation = 'g1'): InferPlan {
  const version = new VersionEntry({
    model: 'simple',
    version: 1,
    generation,
    state: 'READY',
    reason: '',
    config: { ...simpleModel.config, ...config },
  });
  return {
    version,
    regions: undefined,
    request: {
      requestId: 'id',
      rows: 1,
      shapeKey: '',
      inputs: [],
      outputs: [],
      sharedMemoryOutputs: false,
      bytes: 0,
      priority: 0,
      queueTimeoutUs: 0,
      sequence: { id: 0, start: false, end: false },
      emptyFinal: false,
      background: false,
      why: false,
      parameters: new Map(),
    },
  };
}
