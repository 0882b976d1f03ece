/**
 * Why a folder cannot be a model, or undefined if it can. Triton's rules, and no control characters: the name appears in
 * logs, metrics and file names.
 */
export function modelNameTrouble(name: string): string | undefined {
  if (name === '') return 'model name must not be empty';
  if (name.trim() === '') return 'model name must not contain only whitespace characters';
  if (name.includes('..') || name.includes('/') || name.includes('\\'))
    return `invalid model name '${printable(name)}', model name must not contain path traversal characters`;
  if (controls.test(name))
    return `invalid model name '${printable(name)}', model name must not contain control characters`;
  return undefined;
}

// oxlint-disable-next-line no-control-regex -- finding them is the purpose
const controls = /[\u0000-\u001f\u007f]/;

function printable(name: string): string {
  return JSON.stringify(name).slice(1, -1);
}
