/** Entries of shoal.control.v1.GetRequestResponse, as its client gives them. */
export interface RequestStory {
  readonly id: string;
  readonly queue: string;
  readonly router: string;
  readonly rows: number;
  readonly accepted_epoch_ms: number;
  readonly queue_ms: number;
  readonly batch: BatchStory | null;
  readonly rejection: { readonly code: string; readonly reason: string; readonly message: string } | null;
}

export interface BatchStory {
  readonly id: number;
  readonly runner: string;
  readonly reason: string;
  readonly dispatched_epoch_ms: number;
  readonly requests: number;
  readonly rows: number;
  readonly left_rows: number;
  readonly outcome: string;
  readonly took_ms: number;
  readonly wait_ms: number;
  readonly run_ms: number;
  readonly members: readonly { readonly id: string; readonly rows: number; readonly queue_ms: number }[];
}

/** Of ListQueuesResponse. */
export interface Queue {
  readonly name: string;
  readonly version: string;
  readonly waiting: number;
  readonly waiting_rows: number;
  readonly oldest_ms: number;
  readonly runners: number;
  readonly idle_runners: number;
  readonly in_flight: number;
  readonly curves: readonly {
    readonly bucket: number;
    readonly alpha_ms: number;
    readonly beta_ms: number;
    readonly high: number;
    readonly samples: number;
  }[];
}

interface Stage {
  readonly count: number;
  readonly ns: number;
}

/** Of ModelStatisticsResponse, what is shown. */
export interface ModelStatistics {
  readonly name: string;
  readonly version: string;
  readonly inference_count: number;
  readonly execution_count: number;
  readonly inference_stats: {
    readonly success: Stage | null;
    readonly fail: Stage | null;
    readonly queue: Stage | null;
  };
  readonly batch_stats: readonly { readonly batch_size: number; readonly compute_infer: Stage | null }[];
}
