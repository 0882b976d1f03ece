/** A run that takes less is done on the main thread: to hand it over and back costs tens of microseconds and a second core. */
const inlineMs = 1;

/** How much longer than that inline runs may become before they move away again, so that they do not go back and forth. */
const slack = 1.5;

/** Runs that must have been seen before any is made inline. */
const enoughRuns = 8;

/** Share of the newest run in the time that is expected of the next. */
const weight = 0.25;

/** One disturbed run must not outweigh all others. */
const longestMs = 8 * inlineMs;

/** What is known of the runs whose inputs have about the same size. */
interface SizeClass {
  runs: number;
  /** Smoothed. */
  ms: number;
  inline: boolean;
}

/**
 * Decides by measured times which runs are short enough for the main thread. A run is judged by those before it whose
 * inputs had the same size, to a power of two: of others nothing is known, so they are not short.
 */
export class RunPlacement {
  readonly #classes: (SizeClass | undefined)[] = [];

  /** Whether a run of inputs of so many bytes should be inline. */
  inline(bytes: number): boolean {
    return this.#classes[sizeClass(bytes)]?.inline ?? false;
  }

  /** Such a run took so long, wherever it was made. */
  ran(bytes: number, ms: number): void {
    const index = sizeClass(bytes);
    const counted = Math.min(ms, longestMs);
    const known = (this.#classes[index] ??= { runs: 0, ms: counted, inline: false });
    known.runs += 1;
    known.ms += weight * (counted - known.ms);
    known.inline = known.runs >= enoughRuns && known.ms < (known.inline ? slack * inlineMs : inlineMs);
  }
}

function sizeClass(bytes: number): number {
  return 32 - Math.clz32(Math.min(bytes, 2 ** 32 - 1));
}
