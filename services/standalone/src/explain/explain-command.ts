import { parseFlags } from '@shoal/config';
import { ShoalError } from '@shoal/core';
import { inferenceCalls, readModelIo } from '@shoal/load';
import { type PictureSubject, reportPage } from '@shoal/report';
import { type MethodDefinition, loadService } from '@shoal/rpc';
import { type Connection, connect, controlFlags } from '../client/control-client';
import { modelArgument, requireModel } from '../client/model-argument';
import { writeFile } from '../write-file';
import { type ExplainConfig, explainFlags } from './explain-flags';
import type { ExplainResponse } from './messages';
import { svgOf } from './picture-file';
import { progressOf } from './progress';
import { type Question, questionOf } from './question';
import { renderExplanation } from './render-explanation';
import { toExplanation } from './to-explanation';

/** What this command needs of the process around it. */
export interface ExplainShell {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly print: (text: string) => void;
  readonly stdout: { readonly isTTY?: boolean; readonly columns?: number };
  /** Shows how far it is, where somebody may look. */
  readonly stderr: { readonly isTTY?: boolean; write(text: string): unknown };
}

/** Of a line, where the output goes into a file. */
const defaultColumns = 100;

/**
 * `shoal explain MODEL`: what of an input made the model answer as it does.
 * @throws ShoalError INVALID_ARGUMENT for wrong options, and as the server refuses.
 */
export async function explain(argv: readonly string[], shell: ExplainShell): Promise<number> {
  const { model, rest } = modelArgument(argv);
  requireModel('explain', model);
  const config = parseFlags({ ...explainFlags, ...controlFlags }, { argv: rest, env: shell.env });
  const connection = connect(config);
  try {
    const calls = inferenceCalls(connection.client, connection.options);
    const question = questionOf(config, await readModelIo(calls, model, config.modelVersion));
    tell(await ask(connection, question, shell), question, config, shell);
    return 0;
  } finally {
    connection.client.close();
  }
}

const protoFile = 'shoal/explain/v1/explain.proto';

/** Resolves with the last of the stream's answers. */
function ask(
  { client, options }: Connection,
  { request }: Question,
  { stderr }: ExplainShell,
): Promise<ExplainResponse> {
  const methods = loadService(protoFile, 'shoal.explain.v1.Explainability');
  const method = methods['ExplainStream'] as MethodDefinition<object, ExplainResponse>;
  return new Promise((resolve, reject) => {
    const stream = client.stream(method, options);
    const progress = progressOf(stderr);
    let last: ExplainResponse | undefined;
    stream.onMessage((answer) => {
      last = answer;
      if (answer.partial) progress.show(answer);
    });
    stream.onEnd((error) => {
      progress.clear();
      if (error) reject(error);
      else if (last && last.outputs.length > 0) resolve(last);
      else reject(new ShoalError('INTERNAL', 'the server ended the call without an answer'));
    });
    stream.write(request);
    stream.end();
  });
}

function tell(answer: ExplainResponse, question: Question, config: ExplainConfig, shell: ExplainShell): void {
  const explanation = toExplanation(answer, shownOf(answer, question));
  const picture = pictureOf(answer, question);
  if (config.svg !== '') writeFile('--svg', config.svg, svgOf(config, explanation, picture));
  if (config.report !== '') {
    const page = reportPage(explanation, { ...(picture && { picture }), text: config.text !== '' });
    writeFile('--report', config.report, page);
  }
  if (config.json) {
    shell.print(JSON.stringify(answer, undefined, 2));
    return;
  }
  const { stdout, env } = shell;
  const auto = stdout.isTTY === true && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
  const color = config.color === 'always' || (config.color === 'auto' && auto);
  const style = { color, columns: stdout.columns ?? defaultColumns };
  shell.print(renderExplanation(explanation, style, config.text !== ''));
}

/** The picture with the features that its pixels belong to, where the server knows them alone. */
function pictureOf({ divisions }: ExplainResponse, { picture, elementOf }: Question): PictureSubject | undefined {
  const [division] = divisions;
  if (!picture || !elementOf || !division) return picture;
  return { ...picture, featureOf: Uint32Array.from(elementOf, (element) => division.feature_of[element] ?? 0) };
}

function shownOf({ divisions }: ExplainResponse, { shown }: Question): readonly string[] {
  return divisions.length > 0 ? [] : shown;
}
