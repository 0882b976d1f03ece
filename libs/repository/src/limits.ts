/** Largest config.pbtxt or config override accepted, in bytes. Real ones are a few KB; a reader must not be drowned. */
export const maxConfigBytes = 1 << 20;

/** Largest labels file accepted, in bytes: ImageNet-21k's fits ten times. */
export const maxLabelsBytes = 8 << 20;

/** Entries of a model folder that are looked at for change detection, so that a stray tree cannot stall a poll. */
export const maxFingerprintEntries = 10_000;

/** Folders below a version folder that are looked at; also what ends a loop of symbolic links. */
export const maxFingerprintDepth = 5;

/** NAME_MAX of Linux: the longest file name, in bytes. */
export const maxNameBytes = 255;

/** Folders in a path that a config or a load call names: making and removing thousands of them takes seconds. */
export const maxPathSegments = 32;

/** Upper bound of thread counts in a config: beyond it lies a mistake or mischief, not a machine. */
export const maxThreads = 1024;

/** Upper bound of all instances of a model: each is a session with the model's weights. */
export const maxInstances = 256;

/** Most elements of one warm-up input: what is made up for it must fit in memory. */
export const maxWarmupElements = 1 << 26;

/** Most runs of one warm-up request. */
export const maxWarmupRuns = 10_000;
