// eslint-disable-next-line no-control-regex
const control = /[\u0000-\u001f\u007f-\u009f]/g;

/** Text for a terminal: control characters, which could steer it, as escapes. Names of models come from anybody. */
export function printable(text: string): string {
  return text.replaceAll(control, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
