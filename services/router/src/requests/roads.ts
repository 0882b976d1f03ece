import type { Link } from '@shoal/link';

/** How the request table reaches the others. */
export interface Roads {
  /** The batching instance that owns a queue, connected or not; undefined when none is announced. */
  owner(queue: string): string | undefined;
  /** The open link to a batching instance. */
  batching(id: string): Link | undefined;
  /** The open link to a runner. */
  runner(id: string): Link | undefined;
}
