import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ShoalError } from '@shoal/core';
import { fileTrouble } from './bounded-read';
import { modelNameTrouble } from './model-name';
import { readModelFolder, refused, type ScanResult } from './scan-model';

/**
 * Lists the models of one or more repositories (a folder is a model), in order of name. A bad model is a result with a
 * reason and never hinders the others. Hidden folders are not models. A name found in several repositories is refused.
 * Throws only if a repository itself cannot be read: INVALID_ARGUMENT.
 */
export async function scanRepository(repositories: readonly string[]): Promise<ScanResult[]> {
  const homes = new Map<string, string[]>();
  for (const [index, repository] of repositories.entries()) {
    for (const name of await modelFolders(repository, index)) {
      homes.set(name, [...(homes.get(name) ?? []), repository]);
    }
  }
  const results: ScanResult[] = [];
  for (const name of [...homes.keys()].sort()) results.push(await scanOne(name, homes.get(name) ?? []));
  return results;
}

/** Looks up a single model, as an explicit load does. Undefined if no repository has a folder of that name. */
export async function scanModel(repositories: readonly string[], name: string): Promise<ScanResult | undefined> {
  if (name.startsWith('.') || modelNameTrouble(name) !== undefined) return undefined;
  const homes: string[] = [];
  for (const repository of repositories) {
    const found = await stat(join(repository, name)).catch(() => undefined);
    if (found?.isDirectory()) homes.push(repository);
  }
  return homes.length === 0 ? undefined : scanOne(name, homes);
}

async function scanOne(name: string, homes: readonly string[]): Promise<ScanResult> {
  const [home] = homes;
  const trouble = modelNameTrouble(name);
  if (trouble !== undefined) return refused(name, trouble);
  if (home === undefined || homes.length > 1)
    return refused(name, `failed to poll model '${name}': not unique across all model repositories`);
  return readModelFolder(name, join(home, name));
}

async function modelFolders(repository: string, index: number): Promise<string[]> {
  const entries = await readdir(repository, { withFileTypes: true }).catch((error: unknown) => {
    throw new ShoalError('INVALID_ARGUMENT', `model repository ${index + 1} cannot be read: ${fileTrouble(error)}`, {
      cause: error,
    });
  });
  const names: string[] = [];
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue;
    const linked = entry.isSymbolicLink() ? await stat(join(repository, entry.name)).catch(() => undefined) : undefined;
    if (entry.isDirectory() || linked?.isDirectory()) names.push(entry.name);
  }
  return names;
}
