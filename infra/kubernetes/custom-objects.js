'use strict';
// Checks objects that Kubernetes itself does not know against the types that @kubernetes-models makes of their CRDs, by
// having the TypeScript compiler look at them: fields that do not exist, are missing, or hold the wrong thing.
//   node infra/kubernetes/custom-objects.js FOLDER FILE.yaml     FOLDER has those packages in node_modules
const { spawnSync } = require('node:child_process');
const { readFileSync, writeFileSync } = require('node:fs');
const path = require('node:path');
const { parseAllDocuments } = require('yaml');

/** Kinds by their group and version. */
const packages = {
  'keda.sh/v1alpha1': '@kubernetes-models/keda',
  'monitoring.coreos.com/v1': '@kubernetes-models/prometheus-operator',
};

const [folder = '', file = ''] = process.argv.slice(2);
const objects = parseAllDocuments(readFileSync(file, 'utf8')).map((document) => document.toJS());
// Kubernetes' own groups are one word, or under k8s.io.
const others = objects.filter(({ apiVersion }) => /^(?!.*k8s\.io\/).*\..*\//.test(apiVersion));
const unknown = others.find(({ apiVersion }) => !(apiVersion in packages));
if (unknown) {
  console.error(`nothing here knows ${unknown.apiVersion} ${unknown.kind}`);
  process.exit(1);
}
const lines = others.map((object, index) => {
  const { apiVersion, kind } = object;
  const type = `import('${packages[apiVersion]}/${apiVersion}').I${kind}`;
  return `export const ${kind}${index}: ${type} = ${JSON.stringify(object, undefined, 2)};`;
});
const source = path.join(folder, 'objects.ts');
writeFileSync(source, `${lines.join('\n')}\n`);
const tsc = path.join(path.dirname(require.resolve('typescript/package.json')), 'bin/tsc');
const options = [
  '--noEmit',
  '--strict',
  '--skipLibCheck',
  '--ignoreConfig',
  '--module',
  'esnext',
  '--moduleResolution',
  'bundler',
];
const { status } = spawnSync(process.execPath, [tsc, ...options, source], { stdio: 'inherit' });
if (status !== 0) process.exit(1);
if (lines.length > 0) console.log(`${lines.length} of them of other kinds than Kubernetes' own`);
