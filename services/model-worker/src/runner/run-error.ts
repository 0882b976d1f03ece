import type { ErrorCode } from '@shoal/core';
import type * as Repository from '@shoal/repository';

/** A failed run as the client may see it. */
export interface RunError {
  readonly code: ErrorCode;
  readonly message: string;
}

/**
 * ONNX Runtime's words about a failed run, without paths and source positions. Running out of memory is told apart, so
 * that a client may try a smaller request.
 */
export function runError(reason: string, exhausted: boolean, modelFolder: string, model: string): RunError {
  // Loaded with the first error: a runner needs no more of that library, which takes its time.
  const { sanitiseLoadError } = require('@shoal/repository') as typeof Repository;
  const memory = exhausted || /failed to allocate memory|bad_alloc|out of memory/i.test(reason);
  return { code: memory ? 'RESOURCE_EXHAUSTED' : 'INTERNAL', message: sanitiseLoadError(reason, modelFolder, model) };
}
