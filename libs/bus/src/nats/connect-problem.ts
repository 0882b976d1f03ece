import { textOf } from './settings';

const untrusted = "the server's certificate is not from an authority that is trusted";

/** What people are told of TLS, by a word of Node's text for it: the client hands on no code. */
const problems: readonly (readonly [RegExp, string])[] = [
  [/unable to verify the first certificate|self-signed certificate|unable to get (?:local )?issuer/i, untrusted],
  [/altnames/i, "the server's certificate is for another name than the URL's"],
  [/certificate has expired/i, "the server's certificate has expired"],
  [/certificate is not yet valid/i, "the server's certificate is not valid yet"],
];

/** How servers refuse a client's certificate: which of the two is seen is chance. */
const endedByServer = /ECONNRESET|SSL alert/;

/** Why there is no connection, in a line. */
export function connectProblem(thrown: unknown, secure: boolean): string {
  const text = textOf(thrown);
  if (secure && endedByServer.test(text)) {
    return 'the server ended the connection: it may not accept the certificate of this process (its log says so)';
  }
  return problems.find(([pattern]) => pattern.test(text))?.[1] ?? text;
}
