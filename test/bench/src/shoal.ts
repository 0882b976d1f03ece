import path from 'node:path';
import type { BenchRow } from '@shoal/load';
import { type Service, outputOf, startService } from './child';
import { projectRoot } from './project-root';
import type { Effort } from './table';

/** The program that users start. */
export const cli = path.join(projectRoot, 'services/standalone/dist/cli.js');

/** Starts `shoal serve` on a repository, on a free port. */
export function startShoal(
  repository: string,
  flags: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Service> {
  return startService(
    [
      ...[process.execPath, cli, 'serve', '--model-repository', repository, '--grpc-port', '0', '--metrics-port', '0'],
      ...['--allow-client-shm', 'true', ...flags],
    ],
    /Started GRPCInferenceService at (\S+)/,
    env,
  );
}

/** Runs `shoal bench` in a process of its own; `pid` is the server whose CPU is counted. */
export async function runBench(
  { target, pid }: { readonly target: string; readonly pid: number },
  effort: Effort,
  flags: readonly string[],
): Promise<BenchRow> {
  const output = await outputOf([
    ...[process.execPath, cli, 'bench', '--format', 'json', '-u', target, '--server-pid', String(pid)],
    ...['-p', String(effort.seconds * 1000), '--warmup-interval', String(effort.warmupSeconds * 1000)],
    ...flags,
  ]);
  const { rows } = JSON.parse(output) as { rows: readonly BenchRow[] };
  return rows[0] as BenchRow;
}
