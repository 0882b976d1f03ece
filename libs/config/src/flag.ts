/** What every flag has: its documentation is its declaration. Names are Triton's where the meaning is the same. */
interface FlagBase {
  /** Without the dashes, kebab-case. Also read from the environment as SHOAL_ + upper snake case. */
  readonly name: string;
  /** Placeholder of the value in --help: `PORT`, `DIR`, `SECONDS`. */
  readonly value: string;
  /** One or two sentences; says the unit and why one would change it. */
  readonly help: string;
}

export interface StringFlag extends FlagBase {
  readonly type: 'string';
  readonly default: string;
  /** Given: only these values. */
  readonly choices?: readonly string[];
}

export interface StringsFlag extends FlagBase {
  /** May be given several times. */
  readonly type: 'strings';
  readonly default: readonly string[];
}

export interface NumberFlag extends FlagBase {
  readonly type: 'integer' | 'number';
  readonly default: number;
  readonly min: number;
  readonly max: number;
}

export interface BooleanFlag extends FlagBase {
  /** `--x`, `--x=true`, `--x=false`, as Triton reads them. */
  readonly type: 'boolean';
  readonly default: boolean;
}

export type Flag = StringFlag | StringsFlag | NumberFlag | BooleanFlag;

/** A service's flags under the names its code uses: `{ grpcPort: { name: 'grpc-port', … } }`. */
export type FlagTable = Readonly<Record<string, Flag>>;

type ValueOf<F extends Flag> = F extends StringFlag
  ? string
  : F extends StringsFlag
    ? readonly string[]
    : F extends NumberFlag
      ? number
      : boolean;

/** The frozen, validated values of a flag table. */
export type ConfigOf<T extends FlagTable> = { readonly [K in keyof T]: ValueOf<T[K]> };
