/**
 * What a user's callback threw is nobody's to handle, as what listeners of an emitter throw; but it must not end the connection that
 * was being read, and with it the calls of others.
 */
export function rethrowLater(thrown: unknown): void {
  queueMicrotask(() => {
    throw thrown;
  });
}
