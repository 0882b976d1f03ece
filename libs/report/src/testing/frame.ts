import { chartWidth } from '../chart';
import type { Tree } from './parse-xml';

/** An element and all within it. */
export function elementsOf(tree: Tree): Tree[] {
  return [tree, ...tree.children.flatMap((child) => (typeof child === 'string' ? [] : elementsOf(child)))];
}

/** Elements of a chart whose place is not within its frame. */
export function framed(tree: Tree): string[] {
  const height = Number((tree.attributes['viewBox'] ?? '').split(' ')[3]);
  return elementsOf(tree).flatMap(({ name, attributes }) => {
    const [x, y] = [Number(attributes['x'] ?? 0), Number(attributes['y'] ?? 0)];
    const [w, h] = name === 'rect' ? [Number(attributes['width']), Number(attributes['height'])] : [0, 0];
    return x < 0 || y < 0 || x + w > chartWidth + 0.5 || y + h > height + 0.5 ? [`${name} ${x} ${y} ${w} ${h}`] : [];
  });
}
