import { join } from 'node:path';
import { Root, type Type } from 'protobufjs';

/** The repository's root, from this file's place in it. */
export const repositoryRoot = join(__dirname, '../../../..');

const root = new Root();
root.resolvePath = (_origin, target) => join(repositoryRoot, 'proto', target);
root.loadSync('inference/grpc_service.proto', { keepCase: true });

/** A message of package inference, as protobufjs reads and writes it: the reference that the codecs are held against. */
export function messageType(name: string): Type {
  return root.lookupType(`inference.${name}`);
}

/** A decoded message as a plain object: all defaults filled in, 64-bit integers as decimal strings. */
export function decodePlain(name: string, bytes: Uint8Array): Record<string, unknown> {
  const type = messageType(name);
  return type.toObject(type.decode(bytes), {
    longs: String,
    defaults: true,
    arrays: true,
    objects: true,
    oneofs: true,
    bytes: Array,
  });
}
