/** Largest gRPC message that a client in any language can express: what a server takes unless it is told otherwise. */
export const defaultMaxMessageBytes = 2 ** 31 - 1;

/** After a drain's grace: how long the statuses of the calls that were ended may take to reach their clients, in milliseconds. */
export const farewellMs = 500;

/** Bytes of a stream that the socket has not taken from which on `write` asks handlers and callers to wait. */
export const highWaterBytes = 1024 * 1024;
