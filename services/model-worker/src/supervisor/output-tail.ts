/** The last lines of a stream of text, bounded in number and length. */
export class OutputTail {
  readonly #lines: string[] = [];
  #open = '';

  static readonly maxLines = 12;
  static readonly maxLength = 400;

  /** Takes a piece of output; gives back the lines that it completed. */
  push(chunk: string): string[] {
    const pieces = (this.#open + chunk).split('\n');
    this.#open = (pieces.pop() ?? '').slice(0, OutputTail.maxLength);
    const whole = pieces.map(clean).filter((line) => line !== '');
    this.#lines.push(...whole);
    this.#lines.splice(0, this.#lines.length - OutputTail.maxLines);
    return whole;
  }

  /** The last lines, with what has not been ended. */
  get lines(): readonly string[] {
    const open = clean(this.#open);
    return open === '' ? this.#lines : [...this.#lines, open];
  }
}

/** Terminal colours, and other controls: they do not belong in a log. */
// oxlint-disable-next-line no-control-regex -- they are what is sought
const controls = /\u001b\[[0-9;]*m|[\u0000-\u0008\u000b-\u001f\u007f]/g;

function clean(line: string): string {
  return line.replaceAll(controls, '').trim().slice(0, OutputTail.maxLength);
}
