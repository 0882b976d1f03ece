export { type LogControl, type LogFields, type Logger, createLogger, silentLogger } from './logger';
