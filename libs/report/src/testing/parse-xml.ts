import { SaxesParser } from 'saxes';

export interface Tree {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: (Tree | string)[];
}

/** @throws what is not well-formed XML */
export function parseXml(source: string): Tree {
  const parser = new SaxesParser();
  const root: Tree = { name: '', attributes: {}, children: [] };
  const open = [root];
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', ({ name, attributes }) => {
    const tree: Tree = { name, attributes: attributes as Record<string, string>, children: [] };
    open.at(-1)?.children.push(tree);
    open.push(tree);
  });
  parser.on('text', (text) => open.at(-1)?.children.push(text));
  parser.on('closetag', () => void open.pop());
  parser.write(source).close();
  return root.children.find((child): child is Tree => typeof child !== 'string') ?? root;
}

/** The texts in all elements of a name. */
export function textsOf(tree: Tree, name: string): string[] {
  const own = tree.name === name ? [tree.children.filter((child) => typeof child === 'string').join('')] : [];
  return [...own, ...tree.children.flatMap((child) => (typeof child === 'string' ? [] : textsOf(child, name)))];
}

/** All attributes of an element and of those in it. */
export function attributesOf(tree: Tree): [name: string, value: string][] {
  const inner = tree.children.flatMap((child) => (typeof child === 'string' ? [] : attributesOf(child)));
  return [...Object.entries(tree.attributes), ...inner];
}
