export type { BooleanFlag, ConfigOf, Flag, FlagTable, NumberFlag, StringFlag, StringsFlag } from './flag';
export { type HelpSection, renderHelp } from './help';
export { nearest } from './nearest';
export { type FlagSources, environmentName, parseFlags } from './parse-flags';
