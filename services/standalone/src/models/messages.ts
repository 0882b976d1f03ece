/** Entries of shoal.control.v1.ListWorkersResponse, as its client gives them. */
export interface Worker {
  readonly id: string;
  readonly mode: string;
  readonly memory_bytes: number;
  readonly memory_used_bytes: number;
  readonly gpus: number;
  readonly leaving: boolean;
  readonly models: readonly string[];
}

/** Of ListModelsResponse. */
export interface Model {
  readonly name: string;
  readonly wanted: boolean;
  readonly by_request: boolean;
  readonly replicas: { readonly replicas: string; readonly count?: number };
  readonly chosen: readonly string[];
  readonly reason: string;
  readonly workers: readonly Replica[];
}

export interface Replica {
  readonly worker: string;
  readonly state: string;
  readonly reason: string;
  readonly memory_bytes: number;
  readonly versions: readonly { readonly version: string; readonly state: string; readonly reason: string }[];
}
