import { accessSync, constants, existsSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { ShoalError } from '@shoal/core';

/** Writes the file that an option names. @throws ShoalError INVALID_ARGUMENT that names both, and why not. */
export function writeFile(option: string, file: string, content: string): void {
  told(option, file, () => writeFileSync(file, content));
}

/** The same error where a file surely could not be written: before the work whose result is to be in it. '' = none is named. */
export function checkWritable(option: string, file: string): void {
  if (file === '') return;
  told(option, file, () => {
    const there = existsSync(file);
    if (there && statSync(file).isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' });
    accessSync(there ? file : path.dirname(path.resolve(file)), constants.W_OK);
  });
}

function told(option: string, file: string, act: () => void): void {
  try {
    act();
  } catch (thrown) {
    const why = (thrown as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new ShoalError('INVALID_ARGUMENT', `${option} ${file} cannot be written: ${why}`);
  }
}
