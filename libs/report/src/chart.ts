import { type Attributes, Markup, element } from './markup';
import type { Scale } from './scale';
import { figure } from './text';

/** All charts are this wide, in pixels. */
export const chartWidth = 760;

// Vermilion and blue are told apart by people with any common colour blindness; each has ≥ 4.5:1 against its paper.
const style = `.chart{font:12px/1.2 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;--ink:#1b1f24;--dim:#57606a;--line:#d0d7de;--paper:#fff;--up:#b5460f;--down:#0b62a4}
@media (prefers-color-scheme:dark){.chart{--ink:#e6edf3;--dim:#9aa4af;--line:#3d444d;--paper:#0d1117;--up:#ff9a56;--down:#6cb6ff}}
.chart .paper{fill:var(--paper)}.chart text{fill:var(--ink)}.chart text.dim{fill:var(--dim)}.chart text.over{fill:var(--paper)}.chart text.fixed{font-family:ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace}
.chart .clear{paint-order:stroke;stroke:var(--paper);stroke-width:4px}.chart .up{fill:var(--up)}.chart .down{fill:var(--down)}.chart line,.chart path.line{stroke:var(--line);fill:none}.chart .strong{stroke:var(--ink)}.chart .head{font-weight:600;font-size:14px}`;

/** A picture of its own: it needs nothing around it, follows light and dark, and says in words what it shows. */
export function chart(height: number, title: string, description: string, children: readonly Markup[]): string {
  return element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      class: 'chart',
      viewBox: `0 0 ${chartWidth} ${Math.ceil(height)}`,
      width: chartWidth,
      height: Math.ceil(height),
      role: 'img',
      'aria-label': title,
    },
    element('title', {}, title),
    element('desc', {}, description),
    new Markup(`<style>${style}</style>`),
    element('rect', { class: 'paper', width: chartWidth, height: Math.ceil(height) }),
    children,
  ).source;
}

export function text(x: number, y: number, content: string, attributes: Attributes = {}): Markup {
  return element('text', { x, y, ...attributes }, content);
}

/** A line of text whose whole is told on hovering, where it was shortened. */
export function hinted(x: number, y: number, short: string, whole: string, attributes: Attributes = {}): Markup {
  if (short === whole) return text(x, y, short, attributes);
  return element('text', { x, y, ...attributes }, element('title', {}, whole), short);
}

export function line(x1: number, y1: number, x2: number, y2: number, attributes: Attributes = {}): Markup {
  return element('line', { x1, y1, x2, y2, ...attributes });
}

/** Ticks with their numbers under a chart, and lines up through it. */
export function axis(scale: Scale, top: number, bottom: number): Markup[] {
  return scale.ticks.flatMap((tick) => [
    line(scale.at(tick), top, scale.at(tick), bottom + 4),
    text(scale.at(tick), bottom + 17, figure(tick), { 'text-anchor': 'middle', class: 'dim' }),
  ]);
}

/** The class of what pushes an output up or down. */
export function side(value: number): 'up' | 'down' {
  return value < 0 ? 'down' : 'up';
}

/** Estimated width in pixels at 12 px, on the large side: fonts differ from machine to machine. */
export const pixelsPerColumn = 7.4;
