import { readFileSync } from 'node:fs';
import path from 'node:path';
import { loadSync } from '@grpc/proto-loader';
import { fixtures, protoFolder } from './paths';

/** One recorded call to Triton. */
export interface GoldenCase {
  readonly name: string;
  readonly rpc: string;
  readonly kind: 'unary' | 'stream';
  readonly metadata: Readonly<Record<string, string>>;
  readonly request?: string;
  readonly requests?: readonly string[];
  readonly status: string;
  readonly details: string;
  readonly response?: string;
  readonly responses?: readonly string[];
  readonly volatile?: readonly string[];
  /** The requests for reading. */
  readonly request_json?: Readable;
  readonly requests_json?: readonly Readable[];
}

interface Readable {
  readonly model_name?: string;
  readonly name?: string;
}

/** The files of test/fixtures/triton-golden in the order in which they are replayed. */
export const goldenFiles = [
  'infer.json',
  'infer-errors.json',
  'metadata-config.json',
  'repository-statistics-settings.json',
  'streams.json',
] as const;

export function goldenCases(file: string): readonly GoldenCase[] {
  const text = readFileSync(path.join(fixtures, 'triton-golden', file), 'utf8');
  return (JSON.parse(text) as { cases: GoldenCase[] }).cases;
}

interface Method {
  readonly path: string;
  responseDeserialize(bytes: Buffer): object;
}

const definition = loadSync(['inference/grpc_service.proto', 'grpc/health/v1/health.proto'], {
  includeDirs: [protoFolder],
  keepCase: true,
  // Exact beyond 2^53, unlike numbers.
  longs: String,
  enums: String,
  bytes: String,
  // A scalar that is 0 and one that was not sent are the same message; messages and oneof members stay apart.
  defaults: true,
  oneofs: true,
  arrays: true,
  objects: true,
});

const methods: Record<string, Method | undefined> = {
  ...(definition['inference.GRPCInferenceService'] as unknown as Record<string, Method>),
  Check: (definition['grpc.health.v1.Health'] as unknown as Record<string, Method>)['Check'],
};

export function pathOf({ rpc }: GoldenCase): string {
  return methods[rpc]?.path ?? `/inference.GRPCInferenceService/${rpc}`;
}

/** A recorded or received answer as an object, with maps as objects, so that their order does not count. */
export function decode({ rpc }: GoldenCase, bytes: Buffer): unknown {
  const method = methods[rpc];
  if (!method) throw new Error(`no method ${rpc}`);
  return structuredClone(method.responseDeserialize(bytes));
}

/** `message` without the fields that differ from run to run: `*.ns` and names, at any depth. */
export function withoutVolatile(message: unknown, volatile: readonly string[]): unknown {
  const names = new Set(volatile.map((name) => name.replace('*.', '')));
  return strip(message, names);
}

function strip(value: unknown, names: ReadonlySet<string>): unknown {
  if (Array.isArray(value)) return value.map((item) => strip(item, names));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !names.has(key))
      .map(([key, item]) => [key, strip(item, names)]),
  );
}
