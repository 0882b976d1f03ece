import { execFile } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { pixelsPerColumn } from '../chart';
import { columnsOf } from '../text';
import { type Tree, parseXml } from './parse-xml';

/** A line of text in a chart, in its pixels. */
export interface Box {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Where the texts of charts are, without those that are turned: as a headless Chromium measures them, or estimated where there is none
 * (`CHROME_BIN`, or `chromium` or `google-chrome` on the path).
 */
export async function textBoxes(svgs: readonly string[]): Promise<Box[][]> {
  const browser = findBrowser();
  return browser === undefined ? svgs.map((svg) => estimated(parseXml(svg))) : measured(browser, svgs);
}

function findBrowser(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter);
  const names = ['chromium', 'chromium-browser', 'google-chrome'];
  const candidates = names.flatMap((name) => folders.map((folder) => path.join(folder, name)));
  return [process.env['CHROME_BIN'] ?? '', ...candidates].filter((file) => file !== '').find(isProgram);
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const script = `const boxes = [...document.querySelectorAll('svg')].map((svg) => {
  const frame = svg.getBoundingClientRect();
  return [...svg.querySelectorAll('text:not([transform])')].map((one) => {
    const box = one.getBoundingClientRect();
    return { text: one.lastChild.textContent, x: box.left - frame.left, y: box.top - frame.top, width: box.width, height: box.height };
  });
});
document.body.replaceChildren();
document.title = btoa(unescape(encodeURIComponent(JSON.stringify(boxes))));`;

async function measured(browser: string, svgs: readonly string[]): Promise<Box[][]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'report-'));
  try {
    const page = path.join(folder, 'page.html');
    writeFileSync(page, `<!doctype html><meta charset="utf-8"><body>${svgs.join('')}<script>${script}</script>`);
    const options = ['--headless', '--no-sandbox', '--disable-gpu', `--user-data-dir=${folder}/profile`, '--dump-dom'];
    const limits = { timeout: 90_000, maxBuffer: 64 * 2 ** 20 };
    const { stdout } = await promisify(execFile)(browser, [...options, `file://${page}`], limits);
    const [, title = ''] = /<title>([^<]*)<\/title>\s*<\/head>/.exec(stdout) ?? [];
    return JSON.parse(Buffer.from(title, 'base64').toString()) as Box[][];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function estimated(tree: Tree): Box[] {
  const inner = tree.children.flatMap((child) => (typeof child === 'string' ? [] : estimated(child)));
  if (tree.name !== 'text' || tree.attributes['transform'] !== undefined) return inner;
  const { x, y, 'text-anchor': anchor, 'font-size': size = '12', textLength } = tree.attributes;
  const text = tree.children.filter((child) => typeof child === 'string').join('');
  const width = textLength === undefined ? (columnsOf(text) * pixelsPerColumn * Number(size)) / 12 : Number(textLength);
  const left = Number(x) - (anchor === 'end' ? width : anchor === 'middle' ? width / 2 : 0);
  return [{ text, x: left, y: Number(y) - Number(size), width, height: Number(size) * 1.2 }];
}
