export { type MessageBytes, type RemoteBytes, byteLengthOf, isPieces, releaseBytes, wholeBytes } from './bytes';
export { FilePart, type FilePartFields } from './file-part';
export type { LinkTls } from './grpc/link-tls';
export type * from './link';
export type * from './messages';
export { releaseMessage } from './release-message';
export { defaultSharedMemoryBytes } from './shared/shared-memory-budget';
export { type TransportOptions, createTransport } from './transport';
