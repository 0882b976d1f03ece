import { ShoalError } from '@shoal/core';

/** The arguments of a command that begins with a model's name, as in `shoal promote MODEL --url …`. */
export function modelArgument(argv: readonly string[]): { readonly model: string; readonly rest: readonly string[] } {
  const [first = '', ...rest] = argv;
  if (first === '' || first.startsWith('-')) return { model: '', rest: argv };
  return { model: first, rest };
}

/** @throws ShoalError INVALID_ARGUMENT when the model is missing. */
export function requireModel(command: string, model: string): void {
  if (model !== '') return;
  throw new ShoalError('INVALID_ARGUMENT', `shoal ${command} needs a model: shoal ${command} MODEL, before any option`);
}
