import { wrong } from './wrong';

const usualSamples = { infidelity: 200, sensitivity: 10 } as const;

/**
 * The request's `quality` from --quality: names, some with a number of samples, with commas between.
 * @throws ShoalError INVALID_ARGUMENT
 */
export function qualityOf(text: string): { readonly quality?: object } {
  if (text === '') return {};
  const quality: Record<string, number | boolean> = {};
  for (const part of text.split(',')) {
    const [, name = '', count] = /^\s*([a-z]+)(?:=(\d{1,9}))?\s*$/.exec(part) ?? [];
    if (name === 'infidelity' || name === 'sensitivity') {
      quality[`${name}_samples`] = count === undefined ? usualSamples[name] : Number(count);
    } else if ((name === 'deletion' || name === 'insertion') && count === undefined) {
      quality[name] = true;
    } else {
      throw wrong(`--quality: '${part}' is none of infidelity[=SAMPLES], sensitivity[=SAMPLES], deletion, insertion`);
    }
  }
  return { quality };
}
