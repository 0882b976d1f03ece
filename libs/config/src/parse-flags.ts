import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ShoalError } from '@shoal/core';
import type { ConfigOf, Flag, FlagTable } from './flag';
import { nearest } from './nearest';

type Value = string | number | boolean | readonly string[];

/** Where values come from, strongest first: arguments, environment, file, default. */
export interface FlagSources {
  /** Without node and the script. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The environment variable that stands for a flag: `grpc-port` → `SHOAL_GRPC_PORT`. */
export function environmentName(flag: Flag): string {
  return `SHOAL_${flag.name.toUpperCase().replaceAll('-', '_')}`;
}

/**
 * Reads a flag table's values from the command line, the environment and the JSON file that `--config` names.
 * @throws ShoalError INVALID_ARGUMENT that names the flag, the value and what was expected.
 */
export function parseFlags<T extends FlagTable>(table: T, sources: FlagSources): ConfigOf<T> {
  const given = readArguments(table, sources.argv);
  const file = readConfigFile(given.get('config')?.at(-1) ?? sources.env['SHOAL_CONFIG']);
  const known = new Set(Object.values(table).map((flag) => flag.name));
  for (const name of Object.keys(file)) if (!known.has(name)) throw unknownFlag(name, [...known], 'the config file');
  const values: Record<string, Value> = {};
  for (const [key, flag] of Object.entries(table)) {
    const fromEnv = sources.env[environmentName(flag)];
    const texts = given.get(flag.name) ?? (fromEnv === undefined ? file[flag.name] : split(flag, fromEnv));
    values[key] = texts === undefined ? flag.default : convert(flag, texts);
  }
  return Object.freeze(values) as ConfigOf<T>;
}

function readArguments(table: FlagTable, argv: readonly string[]): Map<string, string[]> {
  const flags = new Map(Object.values(table).map((flag) => [flag.name, flag]));
  const known = [...flags.keys(), 'config'];
  const { tokens } = parseArgs({
    args: [...argv],
    strict: false,
    tokens: true,
    options: Object.fromEntries(
      known.map((name) => [name, { type: flags.get(name)?.type === 'boolean' ? 'boolean' : 'string' } as const]),
    ),
  });
  const given = new Map<string, string[]>();
  /** A boolean flag that came without `=` just before: `--allow-grpc false` is how start scripts of Triton write it. */
  let open: string | undefined;
  for (const token of tokens) {
    const before = open;
    open = undefined;
    if (token.kind === 'positional') {
      if (before !== undefined && Object.hasOwn(booleans, token.value.toLowerCase())) {
        given.get(before)?.splice(-1, 1, token.value);
        continue;
      }
      throw new ShoalError('INVALID_ARGUMENT', `unexpected argument '${token.value}': every option starts with --`);
    }
    if (token.kind !== 'option') continue;
    const { name } = token;
    const flag = flags.get(name);
    if (flag === undefined && name !== 'config') throw unknownFlag(token.rawName, known, 'the command line');
    const value = token.value ?? (flag?.type === 'boolean' ? 'true' : undefined);
    if (value === undefined) {
      throw new ShoalError('INVALID_ARGUMENT', `--${name} needs a value: --${name}=${flag?.value ?? 'FILE'}`);
    }
    if (token.value === undefined) open = name;
    given.set(name, [...(given.get(name) ?? []), value]);
  }
  return given;
}

function unknownFlag(raw: string, known: readonly string[], where: string): ShoalError {
  const name = raw.replace(/^-+/, '');
  const near = nearest(name, known);
  const hint = near === undefined ? 'see --help for all of them' : `did you mean --${near}?`;
  return new ShoalError('INVALID_ARGUMENT', `unknown option --${name} in ${where}: ${hint}`);
}

function readConfigFile(file: string | undefined): Record<string, readonly string[]> {
  if (file === undefined) return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    const why = cause instanceof SyntaxError ? cause.message : 'it cannot be read';
    throw new ShoalError('INVALID_ARGUMENT', `--config ${file}: ${why}`, { cause });
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new ShoalError('INVALID_ARGUMENT', `--config ${file}: expected a JSON object of flag names and values`);
  }
  return Object.fromEntries(
    Object.entries(parsed).map(([name, value]) => {
      const values: readonly unknown[] = Array.isArray(value) ? value : [value];
      if (!values.every((one) => ['string', 'number', 'boolean'].includes(typeof one))) {
        const text = `--config ${file}: ${name}: expected a string, a number, true or false, or a list of them`;
        throw new ShoalError('INVALID_ARGUMENT', text);
      }
      return [name, values.map(String)];
    }),
  );
}

/** A repeatable flag's environment variable holds its values with commas between them. */
function split(flag: Flag, text: string): readonly string[] {
  return flag.type === 'strings' ? text.split(',').filter((part) => part !== '') : [text];
}

const booleans: Readonly<Record<string, boolean>> = {
  true: true,
  '1': true,
  on: true,
  false: false,
  '0': false,
  off: false,
};

function convert(flag: Flag, texts: readonly string[]): Value {
  if (flag.type === 'strings') return Object.freeze([...texts]);
  const text = texts.at(-1) ?? '';
  switch (flag.type) {
    case 'string':
      if (flag.choices !== undefined && !flag.choices.includes(text))
        throw wrong(flag, text, `one of ${flag.choices.join(', ')}`);
      return text;
    case 'boolean': {
      const word = text.toLowerCase();
      const value = Object.hasOwn(booleans, word) ? booleans[word] : undefined;
      if (value === undefined) throw wrong(flag, text, 'true or false');
      return value;
    }
    case 'integer':
    case 'number': {
      const value = text.trim() === '' ? Number.NaN : Number(text);
      const fits = flag.type === 'integer' ? Number.isSafeInteger(value) : Number.isFinite(value);
      if (!fits || value < flag.min || value > flag.max) {
        const article = flag.type === 'integer' ? 'an integer' : 'a number';
        throw wrong(flag, text, `${article} from ${flag.min} to ${flag.max}`);
      }
      return value;
    }
    default:
      return flag satisfies never;
  }
}

function wrong(flag: Flag, text: string, expected: string): ShoalError {
  return new ShoalError('INVALID_ARGUMENT', `--${flag.name}=${text}: expected ${expected}`);
}
