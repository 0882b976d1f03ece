const path = require('node:path');

/** Runs that take minutes and are not part of the tests: see run.js. */
module.exports = {
  ...require('../../../jest.config.js'),
  rootDir: path.resolve(__dirname, '../../..'),
  roots: ['<rootDir>/test/cluster/long'],
  testMatch: ['**/*.long.ts'],
};
