/** A share of a model's requests for another version, to try it on real traffic. */
export interface CanaryRule {
  readonly version: string;
  /** 0 … 100, of the requests that no header decides for. */
  readonly percent: number;
  /** Requests with this header go to the canary, whatever the percentage. */
  readonly header?: HeaderRule;
  /**
   * Lower-case name of a header, such as a user's name, whose value decides: the same value is always on the same side, and stays
   * with the canary when the percentage grows. Requests without it are drawn by lot.
   */
  readonly sticky?: string;
}

export interface HeaderRule {
  /** Lower case. */
  readonly name: string;
  /** One of these; none = the header is there, whatever it says. */
  readonly values: readonly string[];
}

/** Requests that are also given to another version, whose answers are compared and never returned. */
export interface ShadowRule {
  readonly version: string;
  /** 0 … 100, of the requests that are accepted. */
  readonly percent: number;
  readonly tolerance: Tolerance;
}

/** How far floating-point elements may be apart: |a - b| <= absolute + relative * |a|, where a is what the client got. */
export interface Tolerance {
  readonly absolute: number;
  readonly relative: number;
}

/** Who answers requests for a model that name no version. Versions are in digits. */
export interface TrafficRules {
  /** '' = the latest that is ready. */
  readonly stable: string;
  readonly canary?: CanaryRule;
  readonly shadow?: ShadowRule;
}

/** Who changed the rules of a model, how and when. */
export interface TrafficChange {
  readonly action: 'set' | 'promote' | 'rollback';
  /** As far as it is known; for people. */
  readonly by: string;
  readonly epochMs: number;
}

/** `traffic/<model>` in the state store: the rules that hold, and those before them. */
export interface TrafficState {
  readonly model: string;
  readonly rules: TrafficRules;
  readonly changed: TrafficChange;
  /** What a rollback goes back to. */
  readonly previous: { readonly rules: TrafficRules; readonly changed?: TrafficChange };
}

/** Of `TrafficState` in the state store. */
export const trafficPrefix = 'traffic/';

/** The rules of a model for which nobody made any. */
export const noRules: TrafficRules = { stable: '' };
