export type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js';
export type * from './client';
export { createClient } from './grpc-js/create-client';
export { type ServerSettings, createServer } from './grpc-js/create-server';
export { type HealthSource, type ServingStatus, addHealth } from './health';
export { loadPackage, loadService } from './load-service';
export { addReflection } from './reflection';
export type * from './server';
export { checkUnixPath, removeStaleSocket, unixPath } from './unix-socket';
