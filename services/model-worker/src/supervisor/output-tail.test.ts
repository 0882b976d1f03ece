import { OutputTail } from './output-tail';

test('keeps the last lines, joins pieces, drops colours, cuts long lines', () => {
  const tail = new OutputTail();
  expect(tail.push('\u001b[0;93mone\u001b[m\ntw')).toEqual(['one']);
  expect(tail.push('o\n\n')).toEqual(['two']);
  tail.push('x'.repeat(1000));
  expect(tail.lines.map((line) => line.length)).toEqual([3, 3, 400]);
  for (let i = 0; i < 100; i += 1) tail.push(`\nline ${i}`);
  expect(tail.lines).toHaveLength(OutputTail.maxLines + 1);
  expect(tail.lines.at(-1)).toBe('line 99');
});
