/** The messages of shoal.control.v1.TrafficControl as the loader gives them: what is absent is null. */
export interface Rules {
  readonly stable_version: string;
  readonly canary: Canary | null;
  readonly shadow: Shadow | null;
}

export interface Canary {
  readonly version: string;
  readonly percent: number;
  readonly header: { readonly name: string; readonly values: readonly string[] } | null;
  readonly sticky_header: string;
}

export interface Shadow {
  readonly version: string;
  readonly percent: number;
  readonly absolute_tolerance: number;
  readonly relative_tolerance: number;
}

export interface Traffic {
  readonly model: string;
  readonly revision: number;
  readonly rules: Rules;
  readonly changed: { readonly action: string; readonly by: string; readonly epoch_ms: number } | null;
  readonly previous: Rules | null;
  readonly status: Status;
}

export interface Status {
  readonly ready_versions: readonly string[];
  readonly stable_version: string;
  readonly canary_ready: boolean;
  readonly shadow_ready: boolean;
  readonly stable: Side;
  readonly canary: Side;
  readonly fallbacks: number;
  readonly shadow: ShadowResults;
  readonly routers: number;
}

export interface Side {
  readonly requests: number;
  readonly answered: number;
  readonly failed: number;
  readonly mean_ms: number;
}

export interface ShadowResults {
  readonly sent: number;
  readonly compared: number;
  readonly equal: number;
  readonly different: number;
  readonly failed: number;
  readonly dropped: number;
  readonly skipped: number;
  readonly abandoned: number;
  readonly largest_difference: number;
  readonly first_output: string;
  readonly first_reason: string;
  readonly primary_mean_ms: number;
  readonly shadow_mean_ms: number;
}
