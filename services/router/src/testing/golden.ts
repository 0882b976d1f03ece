import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A recorded call of a real Triton: what was sent and what came back, messages in base64. */
export interface GoldenCase {
  readonly name: string;
  readonly rpc: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly request?: string;
  readonly requests?: readonly string[];
  readonly status: string;
  readonly details: string;
  readonly response?: string | null;
  readonly responses?: readonly string[];
}

/** The cases of test/fixtures/triton-golden/<file>.json. */
export function goldenCases(file: string): readonly GoldenCase[] {
  return (JSON.parse(readFileSync(fixture(__dirname, file), 'utf8')) as { cases: GoldenCase[] }).cases;
}

/** One case by name. */
export function goldenCase(file: string, name: string): GoldenCase {
  const found = goldenCases(file).find((candidate) => candidate.name === name);
  if (!found) throw new Error(`${file} has no case ${name}`);
  return found;
}

function fixture(from: string, file: string): string {
  const path = join(from, 'test/fixtures/triton-golden', `${file}.json`);
  return existsSync(path) ? path : fixture(dirname(from), file);
}
