import { readdirSync, readlinkSync } from 'node:fs';

/** Names in /dev/shm that the server may have made. */
export function serverNames(): string[] {
  return readdirSync('/dev/shm').filter((name) => name.startsWith('shoal'));
}

/** Files of the server's in shared memory, without a name, that a process has open. */
export function openSharedFiles(pid: number): number {
  const open = readdirSync(`/proc/${pid}/fd`).filter((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith('/dev/shm/shoal');
    } catch {
      return false;
    }
  });
  return open.length;
}
