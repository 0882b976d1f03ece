import { type Clock, ShoalError, toShoalError } from '@shoal/core';
import type { Logger } from '@shoal/telemetry';
import { readFileSync, statSync } from 'node:fs';
import { Access } from './access';
import { type AuthFile, parseAuthFile } from './auth-file';
import { watchFile } from './watched-file';

/** `Access` as a file says it, for as long as the router runs. */
export interface FileAccess {
  readonly access: Access;
  close(): void;
}

/**
 * Reads the file and follows its changes; a new one that is wrong is refused with a log line, and what was known stays.
 * @throws ShoalError INVALID_ARGUMENT as `readAuthFile`.
 */
export function followAuthFile(path: string, clock: Clock, logger: Logger): FileAccess {
  const { file, text } = readAuthFile(path);
  const access = new Access(file, clock);
  logger.info(`--auth-file: ${summary(file)}`);
  if (isOpenToAll(path))
    logger.warn('--auth-file: everybody on this machine may write it, and so give themselves a key');
  const stays = 'what it said before stays in force';
  const close = watchFile({
    path,
    text,
    clock,
    changed(next) {
      try {
        const changed = parseAuthFile(next);
        access.change(changed);
        logger.info(`--auth-file: it has changed: ${summary(changed)}`);
      } catch (thrown) {
        logger.error(`--auth-file: it has changed and is refused: ${toShoalError(thrown).message}; ${stays}`);
      }
    },
    lost: (thrown) => logger.error(`--auth-file: ${reasonOf(thrown)}; ${stays}`),
  });
  return { access, close };
}

/** @throws ShoalError INVALID_ARGUMENT that names the file, the place in it, and what was expected. */
export function readAuthFile(path: string): { readonly file: AuthFile; readonly text: string } {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (thrown) {
    throw named(path, reasonOf(thrown), thrown);
  }
  try {
    return { file: parseAuthFile(text), text };
  } catch (thrown) {
    throw named(path, toShoalError(thrown).message, thrown);
  }
}

/** Whether any user of the system may write the file. Where there are no such rights, nobody knows. */
function isOpenToAll(path: string): boolean {
  return ((statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & 0o002) !== 0;
}

/** Whoever typed the path wants to see it. */
function named(path: string, message: string, cause: unknown): ShoalError {
  return new ShoalError('INVALID_ARGUMENT', `--auth-file ${path}: ${message}`, { cause });
}

function reasonOf(thrown: unknown): string {
  const code = typeof thrown === 'object' && thrown !== null && 'code' in thrown ? String(thrown.code) : '';
  if (code === 'ENOENT') return 'there is no such file';
  return code === 'EACCES' ? 'it may not be read' : `it cannot be read${code && ` (${code})`}`;
}

function summary({ tenants, anonymous }: AuthFile): string {
  const keys = tenants.reduce((sum, tenant) => sum + tenant.keys.length, 0);
  const others = anonymous ? 'have permissions of their own' : 'are refused';
  return `tenants: ${tenants.length}, keys: ${keys}; callers without a key ${others}`;
}
