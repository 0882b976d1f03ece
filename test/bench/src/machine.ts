import { execFileSync } from 'node:child_process';
import { cpus, loadavg, totalmem } from 'node:os';
import { projectRoot } from './project-root';

/** Where and of what a table was measured. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly node: string;
  /** Load averages before the run: others' work disturbs it. */
  readonly load: readonly number[];
  readonly commit: string;
  /** Files differ from the commit. */
  readonly modified: boolean;
  readonly date: string;
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    load: loadavg().map((value) => Math.round(value * 100) / 100),
    commit: git('rev-parse', '--short', 'HEAD'),
    modified: git('status', '--porcelain', '--untracked-files=no') !== '',
    date: new Date().toISOString(),
  };
}

function git(...argv: string[]): string {
  try {
    return execFileSync('git', argv, {
      cwd: projectRoot,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return 'unknown';
  }
}

/** One line below a table. */
export function machineLine({ cpu, cores, memoryGiB, node, load, commit, modified, date }: Machine): string {
  const state = modified ? `${commit} with changes` : commit;
  return `${cpu}, ${cores} cores, ${memoryGiB} GiB; Node ${node}; load ${load.join(' ')} before; ${state}; ${date}`;
}
