import { Metadata as GrpcJsMetadata } from '@grpc/grpc-js';
import type { Metadata } from '../metadata';

/** What belongs to the transport; grpc-js shows some of it among an answer's metadata. */
const transportNames = /^(?:content-type|date|grpc-(?:accept-)?encoding)$/;

/** Our metadata as grpc-js's; a name that `onto` has already gets the new value. */
export function toGrpcJs(metadata: Metadata, onto = new GrpcJsMetadata()): GrpcJsMetadata {
  for (const [name, value] of Object.entries(metadata)) onto.set(name, value);
  return onto;
}

/** What grpc-js received as our metadata: of a name that came more than once, the first value. */
export function fromGrpcJs(metadata: GrpcJsMetadata): Metadata {
  const all = Object.entries(metadata.getMap());
  return Object.fromEntries(all.filter(([name]) => !transportNames.test(name)));
}
