import { type CancelTimer, type Clock, ShoalError, sleep } from '@shoal/core';
import { readFile } from 'node:fs/promises';
import { ExpiryNotice } from './expiry';
import { type TlsMaterial, checkMaterial, expiryOf } from './material';
import type { Renewable } from './renewable';

/** How often the files are looked at. */
const pollMs = 5_000;
/** Files that have changed are read again after this time, and used when they are still the same: who writes them has ended. */
const settleMs = 500;
/** At start, files that do not fit each other may be in the middle of being replaced. */
const startTries = 3;

type Part = keyof TlsMaterial;
const parts: readonly Part[] = ['cert', 'key', 'ca'];

/** Where a part of the material is, and the option that says so, for messages. */
export interface TlsFile {
  readonly flag: string;
  readonly path: string;
}

export type TlsFilePaths = Partial<Readonly<Record<Part, TlsFile>>>;

/** Told of renewals, of files that cannot be used, and of certificates that end soon; `Logger` of @shoal/telemetry is one. */
export interface TlsLog {
  info(message: string, fields?: Readonly<Record<string, string | number | boolean | undefined>>): void;
  warn(message: string, fields?: Readonly<Record<string, string | number | boolean | undefined>>): void;
}

/**
 * Certificate, key and authorities in files that may be replaced at any time, by any means (a rename, a link that turns to
 * another folder as in Kubernetes, or in place). They are read as often as needed to notice, by content; what is broken or
 * does not fit together is refused, and what was used before stays in use.
 */
export class TlsFiles implements Renewable<TlsMaterial> {
  readonly #files: TlsFilePaths;
  readonly #clock: Clock;
  readonly #log: TlsLog;
  readonly #notice = new ExpiryNotice();
  readonly #listeners = new Set<(material: TlsMaterial) => void>();
  #current: TlsMaterial;
  /** What was read last, if that is not in use. */
  #candidate: TlsMaterial | undefined;
  #refused: TlsMaterial | undefined;
  #unreadable = '';
  #cancelTimer: CancelTimer = () => undefined;
  #closed = false;

  /** @param first what to begin with, known to be good: files that are broken at the moment do no harm */
  constructor(files: TlsFilePaths, first: TlsMaterial, clock: Clock, log: TlsLog) {
    this.#files = files;
    this.#current = first;
    this.#clock = clock;
    this.#log = log;
    this.#tellExpiry();
    this.#lookIn(pollMs);
  }

  /** @throws ShoalError INVALID_ARGUMENT, with option and path, for files that cannot be read or used */
  static async open(files: TlsFilePaths, clock: Clock, log: TlsLog): Promise<TlsFiles> {
    for (let left = startTries; ; left -= 1) {
      const first = await read(files);
      try {
        checkMaterial(first, namesOf(files));
        return new TlsFiles(files, first, clock, log);
      } catch (thrown) {
        if (left <= 1) throw thrown;
        await sleep(clock, settleMs);
      }
    }
  }

  get files(): TlsFilePaths {
    return this.#files;
  }

  get current(): TlsMaterial {
    return this.#current;
  }

  onRenewed(renewed: (material: TlsMaterial) => void): () => void {
    this.#listeners.add(renewed);
    return () => void this.#listeners.delete(renewed);
  }

  /** Looks no more. */
  close(): void {
    this.#closed = true;
    this.#cancelTimer();
    this.#listeners.clear();
  }

  #lookIn(ms: number): void {
    this.#cancelTimer = this.#clock.schedule(ms, () => void this.#look());
  }

  async #look(): Promise<void> {
    let found: TlsMaterial | undefined;
    try {
      found = await read(this.#files);
      this.#unreadable = '';
    } catch (thrown) {
      this.#complainOnce(thrown);
    }
    if (this.#closed) return;
    this.#tellExpiry();
    this.#lookIn(this.#judge(found));
  }

  /** Returns when to look again. */
  #judge(found: TlsMaterial | undefined): number {
    const before = this.#candidate;
    this.#candidate = undefined;
    if (found === undefined || isSame(found, this.#current) || (this.#refused && isSame(found, this.#refused))) {
      return pollMs;
    }
    if (before === undefined || !isSame(found, before)) {
      this.#candidate = found;
      return settleMs;
    }
    try {
      checkMaterial(found, namesOf(this.#files));
      this.#adopt(found);
    } catch (thrown) {
      this.#refused = found;
      this.#log.warn('new certificate files cannot be used; going on with what was used before', {
        problem: textOf(thrown),
      });
    }
    return pollMs;
  }

  #adopt(found: TlsMaterial): void {
    this.#refused = undefined;
    this.#current = found;
    this.#notice.reset();
    const expiry = expiryOf(found);
    this.#log.info('the certificate files were replaced: new connections use them', {
      files: fileList(this.#files),
      ...(expiry !== undefined && { validTo: new Date(expiry).toISOString() }),
    });
    this.#tellExpiry();
    for (const listener of this.#listeners) listener(found);
  }

  #tellExpiry(): void {
    const expiry = expiryOf(this.#current);
    if (expiry === undefined) return;
    const notice = this.#notice.due(expiry, this.#clock.epochMs());
    if (!notice) return;
    this.#log.warn(notice.text, {
      file: this.#files.cert?.path,
      daysLeft: notice.daysLeft,
      validTo: new Date(expiry).toISOString(),
    });
  }

  #complainOnce(thrown: unknown): void {
    const problem = textOf(thrown);
    if (problem === this.#unreadable) return;
    this.#unreadable = problem;
    this.#log.warn('certificate files cannot be read; going on with what was used before', { problem });
  }
}

async function read(files: TlsFilePaths): Promise<TlsMaterial> {
  const found: Partial<Record<Part, Buffer>> = {};
  for (const part of parts) {
    const file = files[part];
    if (file) found[part] = await readOne(file);
  }
  return found;
}

async function readOne({ flag, path }: TlsFile): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    const { code = '' } = cause as NodeJS.ErrnoException;
    const why: Readonly<Record<string, string>> = {
      ENOENT: 'there is no such file',
      EACCES: 'this process may not read it',
      EISDIR: 'it is a folder',
    };
    throw new ShoalError('INVALID_ARGUMENT', `${flag}=${path}: ${why[code] ?? `it cannot be read (${code})`}`, {
      cause,
    });
  }
}

function isSame(one: TlsMaterial, other: TlsMaterial): boolean {
  return parts.every((part) => {
    const a = one[part];
    const b = other[part];
    return a === undefined || b === undefined ? a === b : a.equals(b);
  });
}

function namesOf(files: TlsFilePaths): Record<Part, string> {
  const nameOf = (part: Part) => `${files[part]?.flag ?? part}=${files[part]?.path ?? ''}`;
  return { cert: nameOf('cert'), key: nameOf('key'), ca: nameOf('ca') };
}

function fileList(files: TlsFilePaths): string {
  return parts.flatMap((part) => files[part]?.path ?? []).join(', ');
}

function textOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
