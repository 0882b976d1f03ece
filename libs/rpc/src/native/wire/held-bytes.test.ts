import { seededRandom } from '@shoal/core';
import { HeldBytes } from './held-bytes';

test('bytes come back in order, however they came and are taken', () => {
  const seed = 20;
  const random = seededRandom(seed);
  const upTo = (limit: number) => Math.floor(random.next() * limit);
  const held = new HeldBytes();
  let written = 0;
  let read = 0;
  const wrong: number[] = [];
  for (let round = 0; round < 300; round += 1) {
    const piece = Buffer.alloc(upTo(random.next() < 0.1 ? 50_000 : 200));
    for (let i = 0; i < piece.length; i += 1) piece[i] = (written + i) % 251;
    held.add(piece, 0, piece.length);
    written += piece.length;
    if (random.next() < 0.5) continue;
    let left = upTo(40_000);
    held.drain((bytes, start, end) => {
      const to = Math.min(end, start + left);
      for (let i = start; i < to; i += 1) if (bytes[i] !== (read + i - start) % 251) wrong.push(i);
      read += to - start;
      left -= to - start;
      return to;
    });
    expect(held.isEmpty).toBe(read === written);
  }
  held.drain((_bytes, start, end) => {
    read += end - start;
    return end;
  });
  expect(wrong).toEqual([]);
  expect(read).toBe(written);
  expect(written).toBeGreaterThan(500_000);
});
