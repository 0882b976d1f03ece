export { checkAccess } from './access/check-config';
export { expiryExpected, expiryOf } from './access/expiry';
export { type RouterConfig, routerFlags } from './flags';
export { openGrpcTls } from './grpc-tls';
export { type RouterDeps, type RouterService, startRouter } from './router';
export { followLogSettings } from './settings/shared-settings';
