/** Keeps a sender busy: in a closed loop or by a schedule. */
export interface Driver {
  start(): void;
  /** Sends nothing more; resolves when all is answered, or after `drainMs`. */
  stop(drainMs: number): Promise<void>;
  /** Requests now in flight. */
  readonly inFlight: number;
}
