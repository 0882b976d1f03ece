import type { NodeGradient, Rule, Rules } from './rule';

/** The last two dimensions exchanged. */
function transposed(at: NodeGradient, name: string): string {
  const rank = at.b.shapes.rank(name);
  if (rank === undefined) return at.b.once('Einsum', [name], { equation: '...ij->...ji' });
  const perm = Array.from({ length: rank }, (_, axis) => axis);
  perm[rank - 1] = rank - 2;
  perm[rank - 2] = rank - 1;
  return at.b.once('Transpose', [name], { perm });
}

/** A·B of matrices, batches of them (broadcast), and vectors, which are taken as a row on the left, a column on the right. */
const matMul: Rule = (at) => {
  const { b } = at;
  const [left, right] = [at.x(0), at.x(1)];
  const row = b.shapes.rank(left) === 1;
  const column = b.shapes.rank(right) === 1;
  let g = at.g();
  if (column) g = b.op('Unsqueeze', [g, b.ints([-1])]);
  if (row) g = b.op('Unsqueeze', [g, b.ints([-2])]);
  const batch = row || column ? undefined : at.dims(at.y())?.slice(0, -2);
  if (at.wants(0)) {
    const other = column ? b.op('Unsqueeze', [right, b.ints([0])]) : transposed(at, right);
    const product = b.op('MatMul', [g, other]);
    const dims = at.dims(left);
    at.give(0, b.reduceTo(product, left, batch && dims && [...batch, ...dims.slice(-2)]));
  }
  if (at.wants(1)) {
    const other = row ? b.op('Unsqueeze', [left, b.ints([1])]) : transposed(at, left);
    const product = b.op('MatMul', [other, g]);
    const dims = at.dims(right);
    if (column) at.give(1, b.reduceTo(b.op('Squeeze', [product, b.ints([-1])]), right, undefined));
    else at.give(1, b.reduceTo(product, right, batch && dims && [...batch, ...dims.slice(-2)]));
  }
};

/** alpha·A′·B′ + beta·C, each of A′ and B′ transposed or not. */
const gemm: Rule = (at) => {
  const { b } = at;
  const alpha = { float: at.float('alpha', 1) };
  const transA = at.int('transA', 0);
  const transB = at.int('transB', 0);
  const g = at.g();
  if (at.wants(0)) {
    const gradient =
      transA === 1
        ? b.op('Gemm', [at.x(1), g], { alpha, transA: transB, transB: 1 })
        : b.op('Gemm', [g, at.x(1)], { alpha, transB: 1 - transB });
    at.give(0, gradient);
  }
  if (at.wants(1)) {
    const gradient =
      transB === 1
        ? b.op('Gemm', [g, at.x(0)], { alpha, transA: 1, transB: transA })
        : b.op('Gemm', [at.x(0), g], { alpha, transA: 1 - transA });
    at.give(1, gradient);
  }
  if (at.wants(2)) {
    const scaled = b.mul(g, at.scalar(at.float('beta', 1)));
    at.give(2, b.reduceTo(scaled, at.x(2), at.dims(at.y())));
  }
};

/** Without ellipsis and repeated letters: each factor's gradient is the sum of the others with g in the output's place. */
const einsum: Rule = (at) => {
  const equation = at.text('equation', '').replaceAll(' ', '');
  const [left = '', out = '.'] = equation.split('->');
  const terms = left.split(',');
  if (out === '.' || equation.includes('.') || [...terms, out].some((term) => new Set(term).size < term.length))
    at.refuse(`equation '${equation}' has an ellipsis, a repeated index or no output`);
  for (const [input, term] of terms.entries()) {
    if (!at.wants(input)) continue;
    const others = terms.filter((_, index) => index !== input);
    if (Array.from(term).some((letter) => ![out, ...others].some((other) => other.includes(letter))))
      at.refuse(`equation '${equation}' sums over an index of one factor alone`);
    const names = at.node.inputs.filter((_, index) => index !== input);
    at.give(input, at.b.op('Einsum', [at.g(), ...names], { equation: `${[out, ...others].join()}->${term}` }));
  }
};

/** Products of matrices and tensors. */
export const matrixRules: Rules = { MatMul: matMul, Gemm: gemm, Einsum: einsum };
