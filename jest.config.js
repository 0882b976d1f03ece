// Tests load ONNX Runtime too; it would report to its maker.
process.env.ORT_DISABLE_TELEMETRY ??= '1';

/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  // Tests start real servers and runner processes; a loaded machine takes its time.
  testTimeout: 30_000,
  // Many of them wait more than they work: by default one core would be left idle.
  maxWorkers: '100%',
  roots: ['<rootDir>/libs', '<rootDir>/services', '<rootDir>/test'],
  testMatch: ['**/src/**/*.test.ts', '<rootDir>/test/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
  modulePathIgnorePatterns: ['<rootDir>/.*/dist/'],
  moduleNameMapper: {
    '^@shoal/(router|batching|explainability|model-worker|standalone)$': ['<rootDir>/services/$1/src/index.ts'],
    '^@shoal/([^/]+)$': ['<rootDir>/libs/$1/src/index.ts'],
  },
  // OpenTelemetry's HTTP transport imports node:http as it runs, which Jest's modules cannot: there it becomes a require.
  transformIgnorePatterns: ['/node_modules/(?!@opentelemetry/otlp-exporter-base/)'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2023', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } },
    ],
    '/otlp-exporter-base/.+\\.js$': ['@swc/jest', { jsc: { target: 'es2023' }, module: { type: 'commonjs' } }],
  },
};
