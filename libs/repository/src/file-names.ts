import { maxNameBytes, maxPathSegments } from './limits';

/** Why a config's default_model_filename will not do, or undefined if it will ('' stands for the default). */
export function modelFilenameTrouble(name: string): string | undefined {
  if (name === '') return undefined;
  if (name === '.' || name === '..' || /[/\\\0]/.test(name)) return 'must be a file name, not a path';
  if (Buffer.byteLength(name) > maxNameBytes) return `must not be longer than ${maxNameBytes} bytes`;
  return undefined;
}

/**
 * The segments of a relative path inside a model folder, or undefined if it is no such path: empty, absolute, with `.` or
 * `..`, a backslash, a NUL, a segment over NAME_MAX or too many of them.
 */
export function innerPath(path: string): string[] | undefined {
  if (/[\\\0]/.test(path)) return undefined;
  const segments = path.split('/');
  const fine = segments.every(
    (segment) => segment !== '' && segment !== '.' && segment !== '..' && Buffer.byteLength(segment) <= maxNameBytes,
  );
  return fine && segments.length <= maxPathSegments ? segments : undefined;
}
