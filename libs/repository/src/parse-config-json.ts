import { ShoalError } from '@shoal/core';
import type { ModelConfig } from '@shoal/protocol';
import { fromJson } from 'protobufjs/ext/protojson';
import { maxConfigBytes } from './limits';
import { modelConfigType, toPlain } from './model-config-type';

/**
 * Reads a config given as JSON (the `config` parameter of RepositoryModelLoad): protobuf's JSON, with names in snake_case
 * or lowerCamelCase, enums by name or number, and numbers that may be strings. Throws INVALID_ARGUMENT.
 */
export function parseModelConfigJson(json: string): ModelConfig {
  const refuse = (detail: string, cause?: unknown): ShoalError =>
    new ShoalError('INVALID_ARGUMENT', `failed to read the model configuration from JSON: ${detail}`, { cause });
  if (Buffer.byteLength(json) > maxConfigBytes) throw refuse(`larger than ${maxConfigBytes} bytes`);
  try {
    return toPlain(fromJson(modelConfigType(), JSON.parse(json)));
  } catch (error) {
    // Only the reading of what is nested beyond all measure exhausts the stack.
    if (error instanceof RangeError) throw refuse('nested too deeply', error);
    throw refuse(inProtobufsWords(error instanceof Error ? error.message : String(error)), error);
  }
}

function inProtobufsWords(message: string): string {
  const unknown = /^\.?[\w.]+: unknown field: "(.*)"$/s.exec(message);
  const plain = unknown ? `${unknown[1] ?? ''}: Cannot find field.` : message.replaceAll('.inference.', '');
  return plain.length > 200 ? `${plain.slice(0, 200)}…` : plain;
}
