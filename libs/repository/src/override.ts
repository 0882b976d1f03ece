import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ShoalError } from '@shoal/core';
import { fileTrouble } from './bounded-read';
import { innerPath } from './file-names';
import { modelNameTrouble } from './model-name';
import { parseModelConfigJson } from './parse-config-json';
import { invalid } from './refuse';
import { readModelFolder, type ScannedModel, type ScanResult } from './scan-model';

/** What RepositoryModelLoad may bring along. */
export interface ModelOverride {
  /** Stands in for config.pbtxt, as JSON. */
  readonly config?: string;
  /** Stand in for the model's folder: `<version>/<name>` → contents (without Triton's prefix `file:`). */
  readonly files?: Readonly<Record<string, Uint8Array>>;
}

/**
 * Applies an override to a model as it was scanned (undefined: the repository has no such model, which is fine if files
 * are brought). With files, the model's folder is a new one under `privateFolder`, which only this process may read; its
 * path is the result's `directory`, and removing it once it is no longer served is the caller's part.
 * Throws INTERNAL in Triton's words, the reason as `cause`.
 */
export async function applyOverride(
  name: string,
  scanned: ScanResult | undefined,
  override: ModelOverride,
  privateFolder: string,
): Promise<ScannedModel> {
  try {
    return accept(await overridden(name, scanned, override, privateFolder));
  } catch (error) {
    throw pollFailure(name, error);
  }
}

/** What a client is told when a load ends before any version is tried: Triton keeps the reason to its log (`cause`). */
export function pollFailure(name: string, cause?: unknown): ShoalError {
  return new ShoalError('INTERNAL', `failed to load '${name}', failed to poll from model repository`, { cause });
}

async function overridden(
  name: string,
  scanned: ScanResult | undefined,
  override: ModelOverride,
  privateFolder: string,
): Promise<ScanResult> {
  const files = Object.entries(override.files ?? {});
  const config = override.config === undefined ? undefined : parseModelConfigJson(override.config);
  if (files.length > 0) {
    if (config === undefined) throw invalid("Load parameter 'config' must be specified for model file override");
    const folder = await materialiseFiles(name, override.files ?? {}, privateFolder);
    const result = await readModelFolder(name, folder, config);
    if (!result.ok) await rm(folder, { recursive: true, force: true });
    return result;
  }
  if (scanned === undefined) throw invalid(`no model repository holds model '${name}'`);
  if (config === undefined) return scanned;
  if (scanned.directory === undefined) return scanned;
  return readModelFolder(name, scanned.directory, config);
}

function accept(result: ScanResult): ScannedModel {
  if (!result.ok) throw invalid(result.reason);
  return result;
}

/**
 * Writes override files to a new folder under `privateFolder` and returns its path. Checks every path before anything is
 * written: relative, without `..`, no segment over NAME_MAX. Folders are 0700, files 0600. Throws INVALID_ARGUMENT for a
 * path, INTERNAL if the disk will not have it, and leaves nothing behind then.
 */
export async function materialiseFiles(
  name: string,
  files: Readonly<Record<string, Uint8Array>>,
  privateFolder: string,
): Promise<string> {
  const trouble = modelNameTrouble(name);
  if (trouble !== undefined) throw invalid(trouble);
  const checked = Object.entries(files).map(([path, bytes]) => {
    const segments = innerPath(path);
    if (segments === undefined)
      throw invalid(`Invalid file parameter 'file:${clip(path)}': it must stay within the model directory`);
    return { segments, bytes };
  });
  const folder = await mkdtemp(join(privateFolder, 'override-'));
  try {
    for (const { segments, bytes } of checked) {
      await mkdir(join(folder, ...segments.slice(0, -1)), { recursive: true, mode: 0o700 });
      // 'wx': two spellings of one path, or a file where a folder should be, must fail and not overwrite.
      await writeFile(join(folder, ...segments), bytes, { mode: 0o600, flag: 'wx' });
    }
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw new ShoalError('INTERNAL', `override files of model '${name}' cannot be written: ${fileTrouble(error)}`, {
      cause: error,
    });
  }
  return folder;
}

function clip(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}
