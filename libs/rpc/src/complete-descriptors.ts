import type { PackageDefinition } from '@grpc/proto-loader';
import { FileDescriptorProto, type IDescriptorProto } from 'protobufjs/ext/descriptor';

/**
 * Gives proto-loader's descriptors what protoc's have and readers of descriptors (Go, C++, Python) count on:
 * - the names of map entries: the entry of `map<…> parameters` is "ParametersEntry", not "Parameters", else they refuse the file;
 * - every field's JSON name, without which grpcurl prints `model_name` where it prints `modelName` for other servers.
 */
export function completeDescriptors(definitions: PackageDefinition): PackageDefinition {
  const corrected = new Map<Buffer, Buffer>();
  const correct = (file: Buffer) => {
    let result = corrected.get(file);
    if (!result) corrected.set(file, (result = correctFile(file)));
    return result;
  };
  const result: PackageDefinition = {};
  for (const [name, definition] of Object.entries(definitions)) {
    // Messages and enums have it, services do not.
    const files: unknown = definition['fileDescriptorProtos' as keyof typeof definition];
    result[name] = Array.isArray(files)
      ? ({ ...definition, fileDescriptorProtos: files.map(correct) } as typeof definition)
      : definition;
  }
  return result;
}

function correctFile(bytes: Buffer): Buffer {
  const file = FileDescriptorProto.decode(bytes) as { messageType?: IDescriptorProto[] };
  for (const message of file.messageType ?? []) correctMessage(message);
  return Buffer.from(FileDescriptorProto.encode(file).finish());
}

function correctMessage(message: IDescriptorProto): void {
  for (const field of message.field ?? []) field.jsonName = jsonName(field.name ?? '');
  for (const nested of message.nestedType ?? []) {
    correctMessage(nested);
    if (!nested.options?.mapEntry) continue;
    const field = message.field?.find(({ typeName }) => typeName === nested.name);
    if (!field) continue;
    nested.name = entryName(field.name ?? '');
    field.typeName = nested.name;
  }
}

/** protoc: without underscores, the letters behind them large. */
function jsonName(field: string): string {
  return field.replace(/_+([^_]?)/g, (_match, letter: string) => letter.toUpperCase());
}

/** protoc: the field's name in CamelCase and "Entry". */
function entryName(field: string): string {
  const camel = field.replace(/(?:^|_+)([^_]?)/g, (_match, letter: string) => letter.toUpperCase());
  return `${camel}Entry`;
}
