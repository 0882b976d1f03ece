/** Of the OpenTelemetry semantic conventions for the duration of calls, in seconds. */
export const callSeconds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10] as const;

/** Seconds, from a tenth of a millisecond: a small model runs in less time than a call's first bucket has. */
export const shortSeconds = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
] as const;

/** Seconds that work of minutes takes. */
export const longSeconds = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250] as const;

/** Sizes of batches. */
export const sizes = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024] as const;
