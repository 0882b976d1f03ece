import { ConnectionFault } from '../errors';
import { codeLengths, codes, endOfString } from './huffman-code';

/*
 * The decoder walks the code's tree four bits at a time. Its states are the tree's inner nodes; a cell of the table says, for
 * a state and a nibble, the next state (upper bits), whether an octet was completed (at most one: no code is shorter than
 * five bits), which one, and whether the nibble led outside the code.
 */
const emits = 0x100;
const fails = 0x200;

interface Node {
  zero?: Node;
  one?: Node;
  symbol?: number;
  state: number;
}

const { cells, padding } = buildTable();

/** Longest string that is decoded, in octets: as many as the largest header block can stand for. */
const maxDecoded = 65_536;
const decoded = Buffer.allocUnsafeSlow(maxDecoded);

/** Decodes a Huffman string (RFC 7541 §5.2); throws COMPRESSION_ERROR for wrong codes and wrong padding. */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number): string {
  // The shortest code has five bits.
  if (((end - start) * 8) / 5 > maxDecoded) throw new ConnectionFault('COMPRESSION_ERROR', 'Huffman string too long');
  let state = 0;
  let length = 0;
  for (let at = start; at < end; at++) {
    const octet = bytes[at]!;
    let cell = cells[(state << 4) | (octet >> 4)]!;
    if (cell & fails) throw new ConnectionFault('COMPRESSION_ERROR', 'invalid Huffman code');
    if (cell & emits) decoded[length++] = cell;
    cell = cells[((cell >> 16) << 4) | (octet & 15)]!;
    if (cell & fails) throw new ConnectionFault('COMPRESSION_ERROR', 'invalid Huffman code');
    if (cell & emits) decoded[length++] = cell;
    state = cell >> 16;
  }
  if (padding[state] === 0) throw new ConnectionFault('COMPRESSION_ERROR', 'invalid Huffman padding');
  return decoded.toString('latin1', 0, length);
}

function buildTable(): { cells: Int32Array; padding: Uint8Array } {
  const root = buildTree();
  const nodes = numberInnerNodes(root);
  const table = new Int32Array(nodes.length * 16);
  for (const node of nodes) {
    for (let nibble = 0; nibble < 16; nibble++) table[(node.state << 4) | nibble] = step(root, node, nibble);
  }
  // A string may end in up to seven of the leading one-bits of end-of-string (§5.2), and nowhere else inside a code.
  const mayEnd = new Uint8Array(nodes.length);
  let node = root;
  for (let bits = 0; bits <= 7; bits++) {
    mayEnd[node.state] = 1;
    node = node.one!;
  }
  return { cells: table, padding: mayEnd };
}

function buildTree(): Node {
  const root: Node = { state: 0 };
  codes.forEach((code, symbol) => {
    let node = root;
    for (let bit = codeLengths[symbol]! - 1; bit >= 0; bit--) {
      node = (code >>> bit) & 1 ? (node.one ??= { state: 0 }) : (node.zero ??= { state: 0 });
    }
    node.symbol = symbol;
  });
  return root;
}

function numberInnerNodes(root: Node): Node[] {
  const nodes = [root];
  for (let at = 0; at < nodes.length; at++) {
    const node = nodes[at]!;
    node.state = at;
    for (const child of [node.zero, node.one]) if (child && child.symbol === undefined) nodes.push(child);
  }
  return nodes;
}

function step(root: Node, from: Node, nibble: number): number {
  let node: Node | undefined = from;
  let symbol = -1;
  for (let bit = 3; bit >= 0; bit--) {
    node = (nibble >> bit) & 1 ? node.one : node.zero;
    if (node === undefined || node.symbol === endOfString) return fails;
    if (node.symbol !== undefined) {
      symbol = node.symbol;
      node = root;
    }
  }
  return (node.state << 16) | (symbol >= 0 ? emits | symbol : 0);
}
