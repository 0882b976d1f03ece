import { ShoalError } from '@shoal/core';
import { errorTexts } from '@shoal/protocol';

/** NAME_MAX of every file system that Linux mounts at /dev/shm. */
const maxNameBytes = 255;
/** Regions of the server's own: clients have no business there. */
const reservedPrefix = 'shoal';

/**
 * The file's name in /dev/shm for a key as shm_open takes it: one leading slash or none, then a plain name.
 * @throws ShoalError INVALID_ARGUMENT for keys that could name anything else.
 */
export function regionFileName(region: string, key: string): string {
  const name = key.startsWith('/') ? key.slice(1) : key;
  const plain = name !== '' && name !== '.' && name !== '..' && !/[/\0]/.test(name);
  if (!plain || Buffer.byteLength(name) > maxNameBytes) {
    throw new ShoalError(
      'INVALID_ARGUMENT',
      `failed to register shared memory region '${errorTexts.clip(region)}': the key must be a plain name, like '/my_region'`,
    );
  }
  if (name.startsWith(reservedPrefix)) {
    throw new ShoalError(
      'INVALID_ARGUMENT',
      `cannot register shared memory region '${errorTexts.clip(region)}' with key '${errorTexts.clip(key)}': the prefix '${reservedPrefix}' is reserved`,
    );
  }
  return name;
}
