import { encode } from 'fast-png';
import { chart, chartWidth, text } from './chart';
import { type ExplainedOutput, type PictureSubject, outputTitle } from './explanation';
import { type Markup, element } from './markup';
import { centred } from './pixel-map';
import { finite } from './ranked';
import { figure } from './text';

const side = 216;
const gap = 36;
const top = 66;
const first = (chartWidth - 3 * side - 2 * gap) / 2;

// Fixed, whatever the scheme: they lie over a picture.
const up = [213, 94, 0] as const;
const down = [0, 90, 200] as const;

/** A picture, what its parts add to an output, and both over each other. */
export function heatMap(picture: PictureSubject, explained: ExplainedOutput): string {
  const { output, mean } = centred(explained);
  const { width, height } = picture;
  const scale = Math.min(side / width, side / height);
  const [w, h] = [width * scale, height * scale];
  const sums = pixelValues(picture, output);
  const largest = sums.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const original = pngUrl(width, height, picture.channels === 1 ? 1 : 3, picture.pixels);
  const grey = pngUrl(width, height, 1, greyOf(picture));
  const heat = pngUrl(width, height, 4, heatPixels(sums, largest));
  const at = (column: number) => first + column * (side + gap) + (side - w) / 2;
  const image = (column: number, href: string, opacity = 1) =>
    element('image', { x: at(column), y: top, width: w, height: h, href, opacity, style: 'image-rendering:pixelated' });
  const frame = (column: number) =>
    element('rect', { x: at(column), y: top, width: w, height: h, style: 'fill:none;stroke:var(--line)' });
  const title = `${outputTitle(output)}: where in the picture`;
  const what = output.map ? 'each pixel is worth to' : 'each part adds to';
  const description = `A picture of ${width} × ${height} pixels, overlaid with what ${what} the output. The largest is ${figure(largest)}.`;
  const caption = (column: number, words: string) =>
    text(first + column * (side + gap) + side / 2, top - 12, words, { 'text-anchor': 'middle', class: 'dim' });
  return chart(top + h + 62, title, description, [
    text(16, 22, title, { class: 'head' }),
    ...(mean === undefined ? [] : [text(16, 40, `Against the map’s mean, ${figure(mean)}.`, { class: 'dim' })]),
    ...['picture', 'both', output.map ? 'map' : 'contributions'].map((words, column) => caption(column, words)),
    ...[image(0, original), frame(0)],
    ...[image(1, grey, 0.55), image(1, heat, 0.85), frame(1)],
    ...[image(2, heat), frame(2)],
    ...legend(top + h + 22, largest),
  ]);
}

/** For each pixel: its own value where there is a map, else the value of the feature that it belongs to; where its channels belong to several, their sum. */
function pixelValues({ width, height, channels, featureOf }: PictureSubject, output: ExplainedOutput): Float64Array {
  const { map } = output;
  if (map?.height === height && map.width === width) return Float64Array.from(map.values, finite);
  const sums = new Float64Array(width * height);
  for (let at = 0; at < sums.length; at += 1) {
    const owners = new Set(Array.from({ length: channels }, (_, channel) => featureOf[at * channels + channel]));
    for (const owner of owners) {
      if (owner !== undefined) sums[at] = (sums[at] as number) + finite(output.values[owner]);
    }
  }
  return sums;
}

function heatPixels(sums: Float64Array, largest: number): Uint8Array {
  const pixels = new Uint8Array(sums.length * 4);
  sums.forEach((value, at) => {
    const [red, green, blue] = value < 0 ? down : up;
    // The square root lets small ones be seen.
    const strength = largest === 0 ? 0 : Math.sqrt(Math.abs(value) / largest);
    pixels.set([red, green, blue, Math.round(strength * 255)], at * 4);
  });
  return pixels;
}

function greyOf({ channels, pixels }: PictureSubject): Uint8Array {
  if (channels === 1) return pixels;
  // Luma of ITU-R BT.601.
  return Uint8Array.from({ length: pixels.length / 3 }, (_, i) => {
    const [red = 0, green = 0, blue = 0] = pixels.subarray(i * 3, i * 3 + 3);
    return Math.round(0.299 * red + 0.587 * green + 0.114 * blue);
  });
}

function pngUrl(width: number, height: number, channels: number, data: Uint8Array): string {
  return `data:image/png;base64,${Buffer.from(encode({ width, height, channels, depth: 8, data })).toString('base64')}`;
}

function legend(y: number, largest: number): Markup[] {
  const [from, width, steps] = [chartWidth / 2 - 130, 260, 52];
  const cells = Array.from({ length: steps }, (_, i) => {
    const share = ((i + 0.5) / steps) * 2 - 1;
    const fill = `rgb(${(share < 0 ? down : up).join(',')})`;
    const at = from + (i * width) / steps;
    return element('rect', {
      ...{ x: at, y, width: width / steps + 0.3, height: 10 },
      ...{ style: `fill:${fill};fill-opacity:${Math.sqrt(Math.abs(share)).toFixed(3)};shape-rendering:crispEdges` },
    });
  });
  const mark = (x: number, words: string) => text(x, y + 26, words, { 'text-anchor': 'middle', class: 'dim' });
  return [
    ...cells,
    mark(from, figure(-largest)),
    mark(chartWidth / 2, '0'),
    mark(from + width, `+${figure(largest)}`),
    text(from - 12, y + 10, 'speaks against', { 'text-anchor': 'end' }),
    text(from + width + 12, y + 10, 'speaks for'),
  ];
}
