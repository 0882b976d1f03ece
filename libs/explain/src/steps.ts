/** A computation in steps of a few milliseconds, so that who has others to attend to can do so in between. */
export type Steps<R> = Generator<undefined, R, undefined>;

/** All steps at once. */
export function atOnce<R>(steps: Steps<R>): R {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
