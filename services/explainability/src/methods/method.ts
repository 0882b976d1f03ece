import type { Link, Masker, ShapleyResult, TwinOptions } from '@shoal/explain';
import type { VersionAnnouncement } from '@shoal/bus';
import type { BackgroundRows } from '../backgrounds/background-rows';
import type { AskSource } from '../perturbing/ask';
import type { KnownEnds } from '../perturbing/coalition-source';
import type { ExplainRequestMessage, MethodMessages } from '../requests/messages';
import type { ChosenOutput } from '../requests/output-choice';
import type { Players } from '../requests/players';
import type { Requests } from '../perturbing/row-requests';
import type { InferResponseView } from '@shoal/protocol';
import type { OutputPick } from '../perturbing/prediction-reader';
import type { ServedTwin } from '../models/twins';
import type { Tensor } from '../requests/tensor';

/** What a method is made from. */
export interface MethodContext {
  readonly players: Players;
  /** Raw contents of each explained input of numbers. */
  readonly row: readonly Uint8Array[];
  readonly link: Link;
  readonly ends: KnownEnds;
  readonly background: BackgroundRows;
  readonly masker: Masker;
  readonly version: VersionAnnouncement;
  readonly output: ChosenOutput;
  readonly batched: boolean;
  /** Class labels of the output; [] = it has none. */
  readonly labels: readonly string[];
  /** Asks the model itself for other elements of the output than those that were chosen. */
  readonly requests: (output: OutputPick) => Requests;
  /** One request alone, by who asks. @throws ShoalError as the model or the server fails */
  readonly predict: (message: Buffer) => Promise<InferResponseView>;
  /** All inputs of the request. */
  readonly wholeRow: readonly Tensor[];
  /** Has a gradient twin of the model served. @throws ShoalError when it cannot be made or loaded */
  readonly twin: (options: TwinOptions) => Promise<ServedTwin>;
  /** The model's own file, for who looks into it. @throws ShoalError FAILED_PRECONDITION when it cannot be had */
  readonly modelFile: (maxBytes?: number) => Promise<Uint8Array>;
  readonly seed: number;
  /** Coalitions at most. */
  readonly budget: number;
  readonly targetError: number | undefined;
  /** What the method was told, in the request's oneof, and what it is compared with. */
  readonly options: MethodMessages & Pick<ExplainRequestMessage, 'baseline'>;
}

/** What a method found out: attributions, or what it answers in fields of its own. */
export interface Answer extends ShapleyResult {
  /** Fields of ExplainResponse. */
  readonly fields?: AnswerFields;
  /** Of an image, by output; `values` are then means over the players' pixels. */
  readonly maps?: readonly PixelMap[];
}

/** [height × width] */
export interface PixelMap {
  readonly height: number;
  readonly width: number;
  readonly values: Float64Array;
  readonly standardErrors?: Float64Array;
}

/** Of ExplainResponse, as the loader takes them. */
export interface AnswerFields {
  readonly anchor?: object;
  readonly counterfactuals?: object;
  readonly curves?: readonly object[];
  readonly importance?: object;
}

/** A method at work on one row: what it asks, and what it would answer by now. */
export interface Running {
  readonly source: AskSource;
  /** Undefined before there is an answer. */
  answer(): Answer | undefined;
  /** Its answers have the background's value in them, which other rows of the same call need not ask for. */
  readonly knowsBase?: boolean;
  /** How rows are asked, where it is not the model itself. */
  readonly requests?: Requests;
  /** Elements of the output that the answer is about, where they are others than those that were chosen. */
  readonly indices?: readonly number[];
  /** What whoever reads the answer has to know. */
  readonly notes?: readonly string[];
}

/** One method, as clients name it. */
export interface Method {
  readonly name: Exclude<keyof MethodMessages, 'auto'>;
  /** For people. */
  readonly summary: string;
  /** What it needs of the model. */
  readonly needs: 'predictions' | 'gradients' | 'trees';
  /** The field of ExplainResponse that its answer is in; absent: each output's values. */
  readonly answers?: keyof AnswerFields | 'map';
  /** false: nothing is absent, so that it does not matter what the baseline is. */
  readonly compares?: false;
  /** @throws ShoalError INVALID_ARGUMENT, FAILED_PRECONDITION when it cannot be used here */
  start(context: MethodContext): Promise<Running> | Running;
}
