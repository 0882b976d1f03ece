import { basename, resolve, sep } from 'node:path';

/** Longest message handed on, in UTF-16 units. */
const maxLength = 500;

/** As much of a message is looked at: the patterns below take time that grows with its square. */
const maxRead = 4000;

/** ONNX's numbers for element types that onnxruntime-node has no tensor for. */
const elementTypes: Readonly<Record<string, string>> = {
  14: 'COMPLEX64',
  15: 'COMPLEX128',
  16: 'BFLOAT16',
  17: 'FLOAT8E4M3FN',
  18: 'FLOAT8E4M3FNUZ',
  19: 'FLOAT8E5M2',
  20: 'FLOAT8E5M2FNUZ',
  21: 'UINT4',
  22: 'INT4',
};

/**
 * Makes a message of ONNX Runtime fit for users: no absolute path, no source file, no C++ signature; the model's own
 * folder (`modelDir`, an absolute path) is shown as `<model>/…`, whatever the folder's own name. A few frequent errors get
 * words of their own.
 */
export function sanitiseLoadError(message: string, modelDir: string, model = basename(modelDir)): string {
  const inside = relativise(message.slice(0, maxRead), modelDir, model);
  const text = hidePaths(withoutSource(inside))
    .replace(/failed:(?=\S)/g, 'failed: ')
    .replace(/\s+/g, ' ')
    .trim();
  const told = inPlainWords(text) ?? `onnx runtime error: ${text || 'no details given'}`;
  return told.length > maxLength ? `${told.slice(0, maxLength)}…` : told;
}

function inPlainWords(text: string): string | undefined {
  const initializer = /External data path validation failed for initializer: (.+?)\. /.exec(text)?.[1];
  if (initializer !== undefined) {
    const missing = /does not exist: "([^"]*)"/.exec(text)?.[1];
    if (missing !== undefined) return `external data of initializer '${initializer}' is missing: '${missing}'`;
    return `external data of initializer '${initializer}' must stay inside the model's version folder`;
  }
  const element = /Unsupported data type: (\d+)/.exec(text)?.[1];
  if (element !== undefined)
    return `a tensor of the model has element type ${elementTypes[element] ?? element}, which ONNX Runtime for Node.js cannot handle`;
  if (/Protobuf parsing failed/.test(text))
    return `${prefixOf(text)}the file is no ONNX model, is damaged, or is nested too deeply`;
  return undefined;
}

/** "Load model from m/1/model.onnx failed: ", if the text begins so. */
function prefixOf(text: string): string {
  const file = /^Load model from (\S+) failed:/.exec(text)?.[1];
  return file === undefined ? 'onnx runtime error: ' : `onnx runtime error: Load model from ${file} failed: `;
}

function relativise(message: string, modelDir: string, model: string): string {
  const home = resolve(modelDir);
  // By functions: a name may hold `$&`.
  return message.replaceAll(home + sep, () => `${model}/`).replaceAll(home, () => model);
}

/** Removes `…/file.cc:187 type ns::function(args) const ` and `file.cc:461 FunctionName `. */
function withoutSource(message: string): string {
  let text = message;
  for (let round = 0; round < 8; round++) {
    const found = /(?:[\w.+-]*[/\\][\w./\\+-]*|[\w+-]+)\.(?:cc|cpp|cxx|c|cu|cuh|h|hpp|hh|inc|mm):\d+:? ?/.exec(text);
    if (found === null) return text;
    const rest = text.slice(found.index + found[0].length);
    const glue = /[.:]$/.test(text.slice(0, found.index)) ? ' ' : '';
    text = text.slice(0, found.index) + glue + withoutSignature(rest);
  }
  return text;
}

/** A C++ signature holds `::`, and ends with its argument list; a bare function name is one CamelCase word. */
function withoutSignature(text: string): string {
  const open = text.indexOf('(');
  if (open > 0 && text.slice(0, open).includes('::')) {
    const close = closingParenthesis(text, open);
    if (close !== undefined) return text.slice(close + 1).replace(/^(?:\(\)|\s*(?:const|noexcept|\[[^\]]*\]))*\s*/, '');
  }
  return text.replace(/^[A-Z][a-z]+(?:[A-Z][A-Za-z0-9]*)+ (?=\S)/, '');
}

function closingParenthesis(text: string, open: number): number | undefined {
  let depth = 0;
  for (let index = open; index < text.length; index++) {
    const char = text.charAt(index);
    if (char === '(') depth++;
    else if (char === ')' && --depth === 0) return index;
  }
  return undefined;
}

/** Whatever absolute path is left, of either kind of system, is none of the client's business. */
function hidePaths(text: string): string {
  return text
    .replace(/(["'])(?:\/|[A-Za-z]:[\\/])[^"']*\1/g, '<path>')
    .replace(/(^|[\s(:=,[])(?:\/|[A-Za-z]:\\)[^\s"'(),;]+/g, '$1<path>');
}
