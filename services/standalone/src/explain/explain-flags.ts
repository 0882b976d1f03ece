import type { ConfigOf, FlagTable } from '@shoal/config';

/** As in the request's oneof. */
export const methodNames = [
  ...['auto', 'exact', 'kernel_shap', 'permutation', 'owen', 'partition', 'banzhaf', 'interactions', 'ablation'],
  ...['occlusion', 'rise', 'lime', 'anchors', 'counterfactuals', 'integrated_gradients', 'smooth_grad'],
  ...['gradient_shap', 'saliency', 'grad_cam', 'tree_shap', 'partial_dependence', 'accumulated_effects'],
  'permutation_importance',
] as const;

export const chartNames = [
  ...['auto', 'waterfall', 'force', 'bars', 'heatmap', 'text', 'interactions', 'rule', 'counterfactuals', 'curves'],
  ...['importance', 'quality'],
] as const;

/** The row that `shoal explain` asks about. */
export const rowFlags = {
  input: {
    name: 'input',
    type: 'string',
    default: '',
    value: 'FILE',
    help: 'The row, as JSON: { "INPUT": [ … ] }, or a V2 request: { "inputs": [ { "name", "shape", "data" } ] }. Also the JSON itself.',
  },
  csv: {
    name: 'csv',
    type: 'string',
    default: '',
    value: 'FILE',
    help: 'A table whose first line names the features, for models of one input.',
  },
  row: {
    name: 'row',
    type: 'integer',
    default: 1,
    min: 1,
    max: 1_000_000_000,
    value: 'N',
    help: 'Which line of the table, the first after the names being 1.',
  },
  image: {
    name: 'image',
    type: 'string',
    default: '',
    value: 'FILE',
    help: 'A picture for models of one input: PNG, PGM or PPM, of the size that the model takes.',
  },
  imageScale: {
    name: 'image-scale',
    type: 'number',
    default: 0,
    min: 0,
    max: 1e9,
    value: 'NUMBER',
    help: "Multiplies the picture's 0 to 255; 0 = 1/255 for inputs of floating-point type, else 1.",
  },
  text: {
    name: 'text',
    type: 'string',
    default: '',
    value: 'WORDS',
    help: 'A text for models of one BYTES input, explained by its words. With --input: the words, divided by spaces, that its elements (token ids) stand for.',
  },
  textMask: {
    name: 'text-mask',
    type: 'string',
    default: '',
    value: 'WORD',
    help: 'What is written in place of an absent word of --text; without it, the word is left out.',
  },
  featureNames: {
    name: 'feature-names',
    type: 'string',
    default: '',
    value: 'FILE|A,B,C',
    help: 'Names of the features in their order: a file with one a line, or a list.',
  },
  modelVersion: {
    name: 'model-version',
    type: 'string',
    default: '',
    value: 'VERSION',
    help: 'Which version of the model; without it, the one that answers now.',
  },
} as const satisfies FlagTable;

/** What `shoal explain` wants to know, and how well. */
export const questionFlags = {
  method: {
    name: 'method',
    type: 'string',
    default: 'auto',
    choices: methodNames,
    value: 'METHOD',
    help: 'How it is explained; auto chooses by model and input, and says why.',
  },
  methodOptions: {
    name: 'method-options',
    type: 'string',
    default: '',
    value: 'JSON|FILE',
    help: 'What the method can be told, by the names in explain.proto, e.g. {"samples": 200}; or a file of it.',
  },
  output: {
    name: 'output',
    type: 'string',
    default: '',
    value: 'NAME',
    help: 'Which output; without it, the first numeric one.',
  },
  index: {
    name: 'index',
    type: 'strings',
    default: [],
    value: 'N',
    help: 'Which element of the output, from 0; several times for several. Without it, the largest.',
  },
  topK: {
    name: 'top-k',
    type: 'integer',
    default: 0,
    min: 0,
    max: 1000,
    value: 'N',
    help: 'Explains the N largest elements of the output.',
  },
  background: {
    name: 'background',
    type: 'string',
    default: '',
    value: 'NAME|FILE|zero|mean|blur|inpaint',
    help: 'What stands for an absent feature: a stored background, rows in a CSV or JSON file, zeros, the mean of the row itself (of a picture, of each colour), a picture out of focus, or what surrounds the hole in a picture.',
  },
  backgroundRows: {
    name: 'background-rows',
    type: 'integer',
    default: 0,
    min: 0,
    max: 1_000_000,
    value: 'N',
    help: 'Draws so many of the rows of the background; 0 = all.',
  },
  backgroundClusters: {
    name: 'background-clusters',
    type: 'integer',
    default: 0,
    min: 0,
    max: 10_000,
    value: 'N',
    help: 'Takes the averages of N clusters in place of the rows of the background; 0 = the rows.',
  },
  groups: {
    name: 'groups',
    type: 'string',
    default: '',
    value: 'FILE|ROWSxCOLUMNS|superpixels=N',
    help: 'Features that are present or absent together: JSON { "GROUP": ["FEATURE", …] }, or of a picture a grid (without it, at most 8x8) or N parts that are alike.',
  },
  link: {
    name: 'link',
    type: 'string',
    default: 'identity',
    choices: ['identity', 'logit'],
    value: 'LINK',
    help: 'In which scale contributions add up; logit: log-odds of probabilities.',
  },
  budget: {
    name: 'budget',
    type: 'integer',
    default: 0,
    min: 0,
    max: 1_000_000_000_000,
    value: 'N',
    help: 'Evaluations at most; 0 = as the server has it.',
  },
  targetError: {
    name: 'target-error',
    type: 'number',
    default: 0,
    min: 0,
    max: 1,
    value: 'SHARE',
    help: 'Ends when the largest standard error is below this share of the range of the values; 0 = goes on to the budget.',
  },
  quality: {
    name: 'quality',
    type: 'string',
    default: '',
    value: 'MEASURES',
    help: 'How good the values are, with commas between: infidelity[=SAMPLES], sensitivity[=SAMPLES], deletion, insertion.',
  },
  seed: {
    name: 'seed',
    type: 'integer',
    default: 0,
    min: 0,
    max: 4_294_967_295,
    value: 'N',
    help: 'The same seed gives the same answer.',
  },
} as const satisfies FlagTable;

/** Where the answer goes. */
export const answerFlags = {
  json: { name: 'json', type: 'boolean', default: false, value: 'BOOL', help: "Prints the server's answer as JSON." },
  report: {
    name: 'report',
    type: 'string',
    default: '',
    value: 'FILE',
    help: 'Writes a page with charts and all numbers, complete in itself: HTML.',
  },
  svg: { name: 'svg', type: 'string', default: '', value: 'FILE', help: 'Writes one chart of the first output: SVG.' },
  chart: {
    name: 'chart',
    type: 'string',
    default: 'auto',
    choices: chartNames,
    value: 'CHART',
    help: 'Which chart --svg writes; auto: heatmap for --image, text for --text, what the method found, else waterfall.',
  },
  color: {
    name: 'color',
    type: 'string',
    default: 'auto',
    choices: ['auto', 'always', 'never'],
    value: 'WHEN',
    help: 'auto: on a terminal, unless NO_COLOR is set.',
  },
} as const satisfies FlagTable;

export const explainFlags = { ...rowFlags, ...questionFlags, ...answerFlags } as const;

export type ExplainConfig = ConfigOf<typeof explainFlags>;
