import type { ServiceDefinition } from '@grpc/grpc-js';
import type * as ProtoLoader from '@grpc/proto-loader';
import type { Options, PackageDefinition } from '@grpc/proto-loader';
import type * as CheckFields from './check-fields';
import { protoDirectory } from './proto-directory';

/** How messages look in TypeScript; `npm run gen` generates the types with the same options. */
const messageOptions: Options = {
  keepCase: true,
  // Every 64-bit field of our protos (counts, nanoseconds, sizes) stays below 2^53.
  longs: Number,
  enums: String,
  defaults: true,
  oneofs: true,
  arrays: true,
};

const loaded = new Map<string, PackageDefinition>();

/** Everything that `protoFile` (relative to `proto/`) and its imports define. */
export function loadPackage(protoFile: string): PackageDefinition {
  let definition = loaded.get(protoFile);
  if (!definition) {
    // Here and below: what takes tens of milliseconds to load is loaded by those who need it. Runners do not.
    const { loadSync } = require('@grpc/proto-loader') as typeof ProtoLoader;
    definition = loadSync(protoFile, { ...messageOptions, includeDirs: [protoDirectory()] });
    loaded.set(protoFile, definition);
  }
  return definition;
}

/**
 * A service by its full name, e.g. `loadService('inference/grpc_service.proto', 'inference.GRPCInferenceService')`.
 * @throws Error when the file does not define it: a programming error.
 */
export function loadService(protoFile: string, name: string): ServiceDefinition {
  const definition = loadPackage(protoFile)[name];
  // A message's entry has a `format`; what has none is a service.
  if (!definition || 'format' in definition) throw new Error(`${protoFile} defines no service ${name}`);
  const methods = Object.entries(definition as ServiceDefinition);
  return Object.fromEntries(methods.map(([method, parts]) => [method, strict(parts)])) as ServiceDefinition;
}

/** The method with a decoder of requests that refuses what protobufjs lets pass. */
function strict(method: ServiceDefinition[string]): ServiceDefinition[string] {
  const { checkFields } = require('./check-fields') as typeof CheckFields;
  const decode = method.requestDeserialize;
  return {
    ...method,
    requestDeserialize(bytes) {
      checkFields(bytes);
      return decode(bytes) as object;
    },
  };
}
