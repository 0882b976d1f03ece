import type { Effort } from '../table';

/** One input of a row, and what stands for it when it is absent. */
export interface JobInput {
  readonly name: string;
  /** Of one row. */
  readonly shape: readonly number[];
  readonly row: readonly number[];
  /** [rows × elements]; undefined: zeros. */
  readonly background?: readonly number[];
  /** Cells of an image; undefined: each element is a feature. */
  readonly grid?: { readonly rows: number; readonly columns: number };
}

/** What `loads/explain` is told. */
export interface ExplainJob {
  readonly target: string;
  /** The server, whose CPU time is counted. */
  readonly pid: number;
  readonly model: string;
  readonly output: string;
  readonly input: JobInput;
  /** As in ExplainRequest's oneof. */
  readonly method: string;
  /** Coalitions of each explanation. */
  readonly evaluations: number;
  /** Explanations at a time. */
  readonly concurrency: number;
  readonly effort: Pick<Effort, 'seconds' | 'warmupSeconds'>;
}

/** What it says: of all explanations together. */
export interface Explained {
  /** Rows that the model was asked, a second. */
  readonly rowsPerSecond: number;
  readonly evaluationsPerSecond: number;
  /** Of one request. */
  readonly rowsPerRequest: number;
  /** CPU microseconds of a row: the server with all its processes, in which explanations are made. */
  readonly cpuUs: number;
  /** From the call to its answer, mean. */
  readonly milliseconds: number;
  /** Of one explanation. */
  readonly evaluations: number;
  readonly rows: number;
  readonly method: string;
  /** Of the first output. */
  readonly values: readonly number[];
}
