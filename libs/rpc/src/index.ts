export type * from './client';
export { createClient } from './grpc-js/create-client';
export { type ServerSettings, createServer } from './grpc-js/create-server';
export { loadPackage, loadService } from './load-service';
export type * from './server';
export { checkUnixPath, removeStaleSocket, unixPath } from './unix-socket';
