export { type RouterConfig, routerFlags } from './flags';
export { openGrpcTls } from './grpc-tls';
export { type RouterDeps, type RouterService, startRouter } from './router';
