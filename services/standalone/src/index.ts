export { type ServeConfig, serveFlags } from './flags';
export { type Standalone, type StandaloneDeps, startStandalone } from './standalone';
