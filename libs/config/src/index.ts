export type { BooleanFlag, ConfigOf, Flag, FlagTable, NumberFlag, StringFlag, StringsFlag } from './flag';
export { type HelpSection, renderHelp } from './help';
export { isLoopback } from './is-loopback';
export { nearest } from './nearest';
export { type FlagSources, environmentName, parseFlags } from './parse-flags';
