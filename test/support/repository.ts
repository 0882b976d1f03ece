import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fixtures } from './paths';

/** Where a model of a temporary repository comes from, and how its config differs. */
export interface ModelSource {
  /** A folder of test/fixtures; `models` unless told. */
  readonly from?: 'models' | 'golden-models' | 'hostile';
  /** The fixture's name, where it is served under another one. */
  readonly fixture?: string;
  /** Changes the config's text. */
  readonly edit?: (config: string) => string;
  /** Adds to the config's text. */
  readonly append?: string;
  /** Further versions, with the contents of version 1. */
  readonly copies?: readonly number[];
}

/** A model repository in a temporary folder. */
export class TemporaryRepository {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'shoal-test-repository-'));

  constructor(models: Readonly<Record<string, ModelSource>>) {
    for (const [name, source] of Object.entries(models)) this.add(name, source);
  }

  /** Copies a fixture in; its `name` line follows the folder's name. */
  add(name: string, { from = 'models', fixture = name, edit, append = '', copies = [] }: ModelSource = {}): void {
    cpSync(path.join(fixtures, from, fixture), this.path(name), { recursive: true });
    for (const version of copies) cpSync(this.path(name, '1'), this.path(name, String(version)), { recursive: true });
    if (fixture !== name) this.editConfig(name, (config) => config.replace(`name: "${fixture}"`, `name: "${name}"`));
    if (edit) this.editConfig(name, edit);
    if (append !== '') this.editConfig(name, (config) => `${config}\n${append}\n`);
  }

  editConfig(name: string, edit: (config: string) => string): void {
    const file = this.path(name, 'config.pbtxt');
    const before = readFileSync(file, 'utf8');
    const after = edit(before);
    if (after === before) throw new Error(`the edit changes nothing in the config of ${name}`);
    writeFileSync(file, after);
  }

  remove(name: string): void {
    rmSync(this.path(name), { recursive: true });
  }

  path(...parts: string[]): string {
    return path.join(this.folder, ...parts);
  }

  delete(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Models of test/fixtures/models under their own names. */
export function fixtureModels(...names: readonly string[]): Record<string, ModelSource> {
  return Object.fromEntries(names.map((name) => [name, {}]));
}
