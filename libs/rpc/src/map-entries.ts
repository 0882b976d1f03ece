import type { PackageDefinition } from '@grpc/proto-loader';
import { FileDescriptorProto, type IDescriptorProto } from 'protobufjs/ext/descriptor';

/**
 * Gives the entry types of map fields the names that protoc gives them. proto-loader's descriptors call the entry of
 * `map<…> parameters` "Parameters"; readers of descriptors (Go, C++, Python) insist on "ParametersEntry" and refuse the
 * whole file otherwise.
 */
export function nameMapEntries(definitions: PackageDefinition): PackageDefinition {
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
  for (const nested of message.nestedType ?? []) {
    if (!nested.options?.mapEntry) {
      correctMessage(nested);
      continue;
    }
    const field = message.field?.find(({ typeName }) => typeName === nested.name);
    if (!field) continue;
    nested.name = entryName(field.name ?? '');
    field.typeName = nested.name;
  }
}

/** protoc: the field's name in CamelCase and "Entry". */
function entryName(field: string): string {
  const camel = field.replace(/(?:^|_+)([^_]?)/g, (_match, letter: string) => letter.toUpperCase());
  return `${camel}Entry`;
}
