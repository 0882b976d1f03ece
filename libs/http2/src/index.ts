/*
 * HTTP/2 (RFC 9113) with HPACK (RFC 7541) on any duplex, both roles, for users who count microseconds: no stream objects, events,
 * promises or timers per exchange.
 *
 *   socket ─▶ frames/frame-reader ─▶ receiver ─▶ server-, client-connection ─▶ the user's StreamHandler
 *   socket ◀─ frames/output ◀─ sender ◀─ stream ◀─ the user
 *
 * connection holds what both roles share; budgets, limits, memory-budget and watchdog keep it bounded.
 */
export { ClientConnection, type ClientConnectionOptions } from './client-connection';
export { type CloseReason, Connection, type ConnectionOptions, type ConnectionState } from './connection';
export { type ErrorCodeName, errorCodeName, errorCodes } from './errors';
export type { Released } from './frames/output';
export { HeaderBlock } from './hpack/header-block';
export { HeaderField } from './hpack/header-field';
export { type HeaderPairs, PreparedHeaders } from './hpack/prepared-headers';
export { type Http2Limits, compileLimits } from './limits';
export { MemoryBudget } from './memory-budget';
export { ServerConnection, type ServerConnectionOptions } from './server-connection';
export { staticReads, withStaticReads } from './static-reads';
export { type AbortReason, Stream, type StreamHandler } from './stream';
