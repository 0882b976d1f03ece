import { readFileSync, readdirSync } from 'node:fs';

/** Linux reports CPU time in ticks of 1/100 s, whatever the kernel's own rate. */
const tickMs = 10;

/** A process and all its descendants, itself first; only it where /proc does not exist. */
export function processTree(pid: number): number[] {
  const pids = [pid];
  for (let i = 0; i < pids.length; i++) pids.push(...childrenOf(pids[i]!));
  return pids;
}

/** CPU milliseconds (user + system) that the process tree has used so far; NaN where /proc does not exist. */
export function cpuMs(pid: number): number {
  try {
    return processTree(pid).reduce((sum, one) => sum + ownCpuMs(one), 0);
  } catch {
    return Number.NaN;
  }
}

function ownCpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The command's name may hold spaces and brackets: the fields start behind the last ')'.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * tickMs;
}

function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').trim().split(/\s+/).filter(Boolean).map(Number),
    );
  } catch {
    return [];
  }
}
