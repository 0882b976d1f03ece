import type { CheckedRequest } from '@shoal/protocol';
import type { RegionUse } from '../shared-memory/regions';
import type { VersionEntry } from '../catalog/version-entry';

/** A request that was found right, and the loading of a model version that is to answer it. */
export interface InferPlan {
  readonly version: VersionEntry;
  readonly request: CheckedRequest;
  /** Shared memory of the client that the request names; undefined where there is none. */
  readonly regions: RegionUse | undefined;
}
