import { existsSync, readFileSync } from 'node:fs';
import { totalmem } from 'node:os';

/** Share of the machine's memory that a single runner may take by default: the rest keeps the machine alive. */
const defaultShare = 0.9;

/** Files that hold the memory limit of the control group, version 2 and 1. */
const groupLimitFiles = ['/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/memory/memory.limit_in_bytes'];

/** Memory of this machine or container in bytes. */
export function availableMemory(): number {
  let limit = totalmem();
  for (const file of groupLimitFiles) {
    const value = Number(readIfThere(file)?.trim());
    if (Number.isFinite(value) && value > 0) limit = Math.min(limit, value);
  }
  return limit;
}

/** A runner's limit in bytes for the flag's megabytes; 0 = by the machine's memory. */
export function memoryLimitBytes(flagMb: number): number {
  return flagMb > 0 ? flagMb * 2 ** 20 : Math.floor(availableMemory() * defaultShare);
}

/** What all models of this worker together may take, for the flag's megabytes; 0 = by the machine's memory. */
export function memoryBudgetBytes(flagMb: number): number {
  return flagMb > 0 ? flagMb * 2 ** 20 : Math.floor(availableMemory() * defaultShare);
}

/**
 * util-linux's prlimit, which starts a process under limits that the kernel keeps; undefined where there is none.
 */
export function findPrlimit(): string | undefined {
  if (process.platform !== 'linux') return undefined;
  return ['/usr/bin/prlimit', '/bin/prlimit', '/usr/local/bin/prlimit'].find((path) => existsSync(path));
}

/** Memory of its own that a process holds, in bytes; undefined where the system does not tell. */
export function residentBytes(pid: number): number | undefined {
  const kilobytes = /^RssAnon:\s+(\d+) kB/m.exec(readIfThere(`/proc/${pid}/status`) ?? '')?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
