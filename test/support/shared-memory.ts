import { readdirSync, readlinkSync } from 'node:fs';

/** Names in /dev/shm that the server may have made. */
export function serverNames(): string[] {
  return readdirSync('/dev/shm').filter((name) => name.startsWith('shoal'));
}

/** Files in shared memory that a process has open: those of the server's own, or those whose path begins so. */
export function openSharedFiles(pid: number, prefix = '/dev/shm/shoal'): number {
  const open = readdirSync(`/proc/${pid}/fd`).filter((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith(prefix);
    } catch {
      return false;
    }
  });
  return open.length;
}
