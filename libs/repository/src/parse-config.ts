import { ShoalError } from '@shoal/core';
import type { ModelConfig } from '@shoal/protocol';
import { fromText } from 'protobufjs/ext/textformat';
import { maxConfigBytes } from './limits';
import { modelConfigType, toPlain } from './model-config-type';
import { errorPosition } from './text-position';

/** Up to this length, in UTF-16 units, the place of an error is worth the parses it takes; beyond it a line must do. */
const maxLocatedLength = 1 << 15;

/**
 * Reads a config.pbtxt (protobuf text format) into a config with all defaults filled in. `where` names the file in
 * messages, relative to the repository (`simple/config.pbtxt`). Throws INVALID_ARGUMENT with line and column.
 */
export function parseModelConfig(text: string, where: string): ModelConfig {
  const refuse = (detail: string, cause?: unknown): ShoalError =>
    new ShoalError('INVALID_ARGUMENT', `failed to read text proto from ${where}: ${detail}`, { cause });
  if (Buffer.byteLength(text) > maxConfigBytes) throw refuse(`larger than ${maxConfigBytes} bytes`);
  // A byte order mark is no blank to the tokenizer, but some editors write one.
  const source = text.startsWith('\uFEFF') ? text.slice(1) : text;
  try {
    return toPlain(fromText(modelConfigType(), source));
  } catch (error) {
    const message = messageOf(error);
    throw refuse(`${place(source, message)}${inProtobufsWords(message)}`, error);
  }
}

function place(source: string, message: string): string {
  if (source.length > maxLocatedLength) {
    const line = lineMark.exec(message)?.[1];
    return line === undefined ? '' : `${line}: `;
  }
  const { line, column } = errorPosition(source, failureOf, message, expectedToken(message));
  return `${line}:${column}: `;
}

function failureOf(source: string): string | undefined {
  try {
    toPlain(fromText(modelConfigType(), source));
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** A token that would have satisfied a parser that complains of what it expected. */
function expectedToken(message: string): string | undefined {
  const quoted = /^expected '(.)'/.exec(message)?.[1];
  if (quoted !== undefined) return quoted;
  if (/^expected (?:message value|map entry)/.test(message)) return '{';
  if (/^expected string/.test(message)) return '""';
  return /^expected/.test(message) ? '0' : undefined;
}

const lineMark = / \(line (\d+)\)$/;

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What protobuf's own parser says where Triton's users know it by heart; the rest without the parser's own line mark. */
function inProtobufsWords(message: string): string {
  const plain = message.replace(lineMark, '');
  const unknown = /^\.?([\w.]+): unknown field '(.*)'$/s.exec(plain);
  if (unknown) return `Message type "${unknown[1] ?? ''}" has no field named "${clip(unknown[2] ?? '')}".`;
  return clip(plain.replaceAll('.inference.', ''));
}

function clip(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
