import { printable } from './printable';

test.each([
  ['evil\u001B[2J\nX\u009B', String.raw`evil\x1b[2J\x0aX\x9b`],
  ['fdp.\u202Etxt\u2066\u061C\u2028', String.raw`fdp.\u202etxt\u2066\u061c\u2028`],
  ['Größe_模型 👩‍🔬', 'Größe_模型 👩‍🔬'],
])('%j is printed as what acts on no terminal', (text, printed) => {
  expect(printable(text)).toBe(printed);
});
