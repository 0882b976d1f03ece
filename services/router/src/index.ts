export { type RouterConfig, routerFlags } from './flags';
export { type RouterDeps, type RouterService, startRouter } from './router';
