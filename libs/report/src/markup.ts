/**
 * A piece of XML or HTML that is put into another as it is. Made by `element`, and of what this package itself wrote: never of a text
 * from outside.
 */
export class Markup {
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }
}

export type Attributes = Readonly<Record<string, string | number | undefined>>;

// What XML 1.0 does not allow, halves of surrogate pairs among them; and marks that turn the direction of the text around them.
const forbidden =
  // eslint-disable-next-line no-control-regex
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\ufffe\uffff]|\p{Surrogate}/gu;

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text that shows as it is, whoever wrote it, in elements and in attributes. */
export function escape(text: string): string {
  return text.replaceAll(forbidden, '\ufffd').replaceAll(/[&<>"']/g, (char) => entities[char] as string);
}

/** An element. Texts in it are escaped; numbers in attributes are rounded to hundredths. Elements and attributes have fixed names. */
export function element(
  name: string,
  attributes: Attributes,
  ...children: readonly (Markup | string | readonly Markup[])[]
): Markup {
  const inside = children.map(sourceOf).join('');
  const head = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${typeof value === 'number' ? rounded(value) : escape(value as string)}"`)
    .join('');
  return new Markup(inside === '' && !named.has(name) ? `<${name}${head}/>` : `<${name}${head}>${inside}</${name}>`);
}

/** HTML has no empty form of these. */
const named = new Set(['div', 'span', 'p', 'td', 'th', 'section', 'title', 'desc', 'text', 'dd', 'dt', 'h1', 'h2']);

function sourceOf(child: Markup | string | readonly Markup[]): string {
  if (typeof child === 'string') return escape(child);
  return child instanceof Markup ? child.source : child.map((one) => one.source).join('');
}

function rounded(value: number): string {
  return Number.isFinite(value) ? String(Math.round(value * 100) / 100) : '0';
}
