import { readFileSync, readdirSync } from 'node:fs';

/** Linux reports CPU time in ticks of 1/100 s, whatever the kernel's own rate. */
const tickMs = 10;

/** One process of a tree. */
export interface ProcessUse {
  readonly pid: number;
  /** Its command line's most telling word: the script of a Node process, else the program. */
  readonly name: string;
  /** CPU milliseconds, user and system, since it began. */
  readonly cpuMs: number;
}

/** A process and its descendants, itself first; without those that have just gone. [] where /proc does not exist. */
export function processTree(pid: number): ProcessUse[] {
  const found: ProcessUse[] = [];
  const pids = [pid];
  for (let i = 0; i < pids.length; i++) {
    const one = pids[i] as number;
    const cpuMs = readCpuMs(one);
    if (cpuMs === undefined) continue;
    found.push({ pid: one, name: readName(one), cpuMs });
    pids.push(...readChildren(one));
  }
  return found;
}

/** CPU milliseconds by process between two looks at a tree; one that was born in between counts from its birth. */
export function useBetween(before: readonly ProcessUse[], after: readonly ProcessUse[]): ProcessUse[] {
  const then = new Map(before.map(({ pid, cpuMs }) => [pid, cpuMs]));
  return after.map((use) => ({ ...use, cpuMs: use.cpuMs - (then.get(use.pid) ?? 0) }));
}

function readCpuMs(pid: number): number | undefined {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The command's name may hold spaces and brackets: the fields start behind the last ')'.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * tickMs;
}

function readName(pid: number): string {
  const words = (read(`/proc/${pid}/cmdline`) ?? '').split('\0');
  const base = (word: string) => word.slice(word.lastIndexOf('/') + 1);
  const script = words.slice(1).find((word) => /\.(c|m)?js$|\.py$/.test(word));
  return base(script ?? words[0] ?? '') || 'unknown';
}

function readChildren(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      (read(`/proc/${pid}/task/${thread}/children`) ?? '').split(' ').filter(Boolean).map(Number),
    );
  } catch {
    return [];
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
