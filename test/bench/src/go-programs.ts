import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from './project-root';

/** The two Go programs of the wire table. */
export interface GoPrograms {
  readonly server: string;
  readonly load: string;
}

const buildMs = 300_000;

/** Builds them into test/bench/results/bin; undefined, with a message, where there is no Go or no module proxy. */
export async function buildGo(say: (line: string) => void): Promise<GoPrograms | undefined> {
  const source = path.join(projectRoot, 'test/bench/go');
  const bin = path.join(projectRoot, 'test/bench/results/bin');
  await mkdir(bin, { recursive: true });
  const programs = { server: path.join(bin, 'echo-server'), load: path.join(bin, 'echo-load') };
  try {
    const options = { cwd: source, timeout: buildMs };
    await promisify(execFile)('go', ['build', '-o', `${bin}/`, './echo-server', './echo-load'], options);
    return programs;
  } catch (thrown) {
    if (existsSync(programs.server) && existsSync(programs.load)) return programs;
    const why = thrown instanceof Error ? thrown.message.split('\n')[0] : String(thrown);
    say(`skipped: grpc-go, which cannot be built here: ${why}`);
    return undefined;
  }
}
