import type { Clock } from '@shoal/core';
import type { Metadata } from '@shoal/rpc';
import type { Span } from '@shoal/telemetry';
import type { BackgroundStore } from './backgrounds/background-store';
import type { ExplainConfig } from './flags';
import type { ExplainMetrics } from './metrics/explain-metrics';
import type { Routers } from './models/routers';
import type { ModelFiles } from './models/model-files';
import type { Twins } from './models/twins';
import type { Versions } from './models/versions';
import type { ExplainTracing } from './tracing/traced-row';

/** What explanations are made with. */
export interface ExplainerDeps {
  readonly clock: Clock;
  /** Undefined: nothing is measured. */
  readonly metrics?: ExplainMetrics | undefined;
  readonly config: ExplainConfig;
  readonly routers: Routers;
  readonly versions: Versions;
  readonly files: ModelFiles;
  readonly twins: Twins;
  readonly backgrounds: BackgroundStore;
  /** Undefined: nothing is recorded. */
  readonly tracing?: ExplainTracing | undefined;
}

/** What is known of the call that asks. */
export interface ExplainCall {
  /** That go on to the model: who asks, and on whose trace. */
  readonly headers: Metadata;
  /** On the clock's `now()`; undefined = never. */
  readonly deadline: number | undefined;
  readonly signal: AbortSignal;
  /** Of the call; undefined: it is not recorded. */
  readonly span: Span | undefined;
  /** Wants what is known so far. */
  readonly partial?: (response: object) => void;
}
