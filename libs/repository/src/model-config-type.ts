import { join } from 'node:path';
import type { ModelConfig } from '@shoal/protocol';
import { Enum, type IConversionOptions, type Message, Root, Type } from 'protobufjs';

const protoFile = join(__dirname, '..', '..', '..', 'proto', 'inference', 'model_config.proto');

/** The same conversions as the generated types assume (root package.json, script `gen`). */
const conversion: IConversionOptions = {
  longs: Number,
  enums: String,
  defaults: true,
  arrays: true,
  objects: true,
  oneofs: true,
};

let loaded: Type | undefined;

/** The reflected message inference.ModelConfig with its fields named as in the .proto file. */
export function modelConfigType(): Type {
  loaded ??= new Root().loadSync(protoFile, { keepCase: true }).resolveAll().lookupType('inference.ModelConfig');
  return loaded;
}

/** A message as a plain object with every default filled in. Throws a plain Error that names an enum value that does not exist. */
export function toPlain(message: Message): ModelConfig {
  rejectUnknownEnums(modelConfigType(), message as unknown as Record<string, unknown>);
  return modelConfigType().toObject(message, conversion) as ModelConfig;
}

/** Fills the defaults of all that is missing in a config, at any depth. */
export function withDefaults(config: object): ModelConfig {
  return toPlain(modelConfigType().fromObject(config));
}

/** The config of a model that has none. */
export function emptyModelConfig(): ModelConfig {
  return withDefaults({});
}

/** proto3 enums are open: a number without a name would get through as a number where the type promises a name. */
function rejectUnknownEnums(type: Type, message: Readonly<Record<string, unknown>>): void {
  for (const field of type.fieldsArray) {
    const held = field.resolvedType;
    const value = Object.hasOwn(message, field.name) ? message[field.name] : undefined;
    if (held === null || value === undefined || value === null) continue;
    const values = field.repeated ? (value as unknown[]) : field.map ? Object.values(value as object) : [value];
    for (const each of values) {
      if (held instanceof Type) rejectUnknownEnums(held, each as Record<string, unknown>);
      else if (held instanceof Enum && held.valuesById[each as number] === undefined)
        throw new Error(`${field.name}: ${String(each)} is no value of enum ${held.name}`);
    }
  }
}
