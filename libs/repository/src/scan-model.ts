import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ShoalError, toShoalError } from '@shoal/core';
import type { ModelConfig } from '@shoal/protocol';
import { errorCode, readBounded } from './bounded-read';
import { checkConfig } from './check-config';
import type { ModelSnapshot } from './diff';
import { fingerprintFolder, type FolderFingerprint } from './fingerprint';
import { type Labels, readLabels } from './labels';
import { maxConfigBytes } from './limits';
import { emptyModelConfig } from './model-config-type';
import { parseModelConfig } from './parse-config';
import { defaultModelFilename, judgePlatform, withPlatform } from './platform';
import { loadReason } from './reason';
import { unsupportedReason } from './unsupported';
import { missingVersions, versionsToLoad } from './version-policy';

/** A version that the version policy asks for. */
export interface ScannedVersion {
  readonly version: number;
  /** Absolute path of the model file: for the runner, never for a message. */
  readonly file: string;
  /** The same for messages: `model/1/model.onnx`. */
  readonly label: string;
  /** Why it cannot be loaded, as a version's reason is shown; '' if it may be tried. */
  readonly reason: string;
}

/** A model that can be loaded, at least in part. */
export interface ScannedModel {
  readonly ok: true;
  readonly name: string;
  /** Absolute path of the model's folder. */
  readonly directory: string;
  /** As written, defaults filled in, platform, backend and model file named; not yet completed from the model. */
  readonly config: ModelConfig;
  readonly labels: Labels;
  /** Ascending; never empty. */
  readonly versions: readonly ScannedVersion[];
  /** For the log. */
  readonly warnings: readonly string[];
  readonly snapshot: ModelSnapshot;
}

/** A model that is not loaded at all. */
export interface RefusedModel {
  readonly ok: false;
  readonly name: string;
  /** Absolute path of the model's folder; absent if there is not exactly one. */
  readonly directory?: string;
  readonly reason: string;
  readonly snapshot: ModelSnapshot;
}

export type ScanResult = ScannedModel | RefusedModel;

/** A refusal before anything of the folder is known. */
export function refused(name: string, reason: string): RefusedModel {
  return { ok: false, name, reason, snapshot: { config: '', versions: new Map(), reason } };
}

/**
 * Reads one model folder; with `override`, that config stands in for config.pbtxt. Never throws for what is in the folder.
 */
export async function readModelFolder(name: string, directory: string, override?: ModelConfig): Promise<ScanResult> {
  // Taken before the files are read: a change in between is then seen by the next look.
  const print = await fingerprintFolder(directory);
  try {
    return await readFolder(name, directory, print, override ?? (await readConfig(name, directory)));
  } catch (error) {
    const reason = toShoalError(error).message;
    return { ok: false, name, directory, reason, snapshot: { config: print.config, versions: new Map(), reason } };
  }
}

async function readFolder(
  name: string,
  directory: string,
  print: FolderFingerprint,
  written: ModelConfig,
): Promise<ScannedModel> {
  checkConfig(written, name);
  const present = [...print.versions.keys()];
  const wanted = versionsToLoad(written.version_policy, present);
  const verdict = judgePlatform(written, name, await anyHasModelFile(directory, present));
  if (verdict.kind === 'invalid') throw new ShoalError('INVALID_ARGUMENT', verdict.reason);
  if (wanted.length === 0)
    throw new ShoalError(
      'INVALID_ARGUMENT',
      `at least one version must be available under the version policy of model '${name}'`,
    );
  const obstacle = obstacleOf(written, name, verdict.kind === 'unavailable' ? verdict.reason : undefined);
  const config = verdict.kind === 'onnx' ? withPlatform(written) : written;
  const labels = await readLabels(directory, config, name);
  const versions: ScannedVersion[] = [];
  for (const version of wanted) versions.push(await readVersion(name, directory, config, version, obstacle));
  return {
    ok: true,
    name,
    directory,
    config,
    labels,
    versions,
    warnings: missingVersions(written.version_policy, present).map(
      (version) => `version ${version} is specified for model '${name}', but the version directory is not present`,
    ),
    snapshot: {
      config: print.config,
      versions: new Map(wanted.map((version) => [version, print.versions.get(version) ?? ''])),
      reason: '',
    },
  };
}

async function readConfig(name: string, directory: string): Promise<ModelConfig> {
  const where = `${name}/config.pbtxt`;
  const bytes = await readBounded(join(directory, 'config.pbtxt'), maxConfigBytes).catch((error: unknown) => {
    if (error instanceof Error && errorCode(error.cause) === 'ENOENT') return undefined;
    const why = error instanceof Error ? error.message : 'cannot be read';
    throw new ShoalError('INVALID_ARGUMENT', `failed to read text proto from ${where}: ${why}`, { cause: error });
  });
  if (bytes === undefined) return emptyModelConfig();
  try {
    return parseModelConfig(new TextDecoder('utf-8', { fatal: true }).decode(bytes), where);
  } catch (error) {
    if (error instanceof ShoalError) throw error;
    throw new ShoalError('INVALID_ARGUMENT', `failed to read text proto from ${where}: it is not UTF-8`, {
      cause: error,
    });
  }
}

/** What keeps every version of a model from being loaded, as a version's reason. */
function obstacleOf(config: ModelConfig, name: string, platformReason: string | undefined): string {
  if (platformReason !== undefined && config.platform !== 'ensemble')
    return loadReason(new ShoalError('INVALID_ARGUMENT', platformReason));
  const unsupported = unsupportedReason(config, name);
  return unsupported === undefined ? '' : loadReason(new ShoalError('UNIMPLEMENTED', unsupported));
}

async function readVersion(
  name: string,
  directory: string,
  config: ModelConfig,
  version: number,
  obstacle: string,
): Promise<ScannedVersion> {
  const filename = config.default_model_filename || defaultModelFilename;
  const file = join(directory, String(version), filename);
  const label = `${name}/${version}/${filename}`;
  return { version, file, label, reason: obstacle || (await fileObstacle(file, label, name)) };
}

async function fileObstacle(file: string, label: string, name: string): Promise<string> {
  const found = await stat(file).catch(() => undefined);
  if (found?.isFile()) return '';
  const message = found
    ? `'${label}' for model instance '${name}' must be a file`
    : `unable to find '${label}' for model instance '${name}'`;
  return loadReason(new ShoalError('UNAVAILABLE', message));
}

async function anyHasModelFile(directory: string, versions: readonly number[]): Promise<boolean> {
  for (const version of versions) {
    const found = await stat(join(directory, String(version), defaultModelFilename)).catch(() => undefined);
    if (found) return true;
  }
  return false;
}
