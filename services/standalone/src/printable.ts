// eslint-disable-next-line no-control-regex
const control = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/**
 * Text for a terminal: control characters, which could steer it, and those that turn the direction of what follows, as escapes. Names of
 * models and ids of requests come from anybody.
 */
export function printable(text: string): string {
  return text.replaceAll(control, (char) => {
    const code = char.charCodeAt(0).toString(16);
    return code.length > 2 ? `\\u${code.padStart(4, '0')}` : `\\x${code.padStart(2, '0')}`;
  });
}
