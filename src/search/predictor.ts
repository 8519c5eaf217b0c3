/**
 * Accuracies guessed from genes: ridge regression on the one-hot encoding of once-for-all networks (Cai and others, 2020):
 * for each block a bit for each kernel, expansion and width that it may have, none where the block is not shown.
 */
import { type Genome, positionsOf } from '../nas/genome.ts';
import { blockCount, type Space } from '../nas/space.ts';

/** Weight of the squared length of the coefficients: networks are many fewer than pairs of genes, noise is much. */
const RIDGE = 1;

/** The one-hot encoding, and a 1 for the mean. */
export function encode(space: Space, genome: Genome): Float64Array {
  const perBlock = [space.kernels, space.expansions, space.widthPer === 'block' ? space.widths : []];
  const size = perBlock.reduce((sum, choices) => sum + choices.length, 0);
  const start = blockCount(space) * size;
  const code = new Float64Array(start + space.widths.length + space.resolutions.length + 1);
  for (const { index } of positionsOf(space, genome)) {
    const genes = [genome.kernels[index]!, genome.expansions[index]!, genome.widths[index + 1] ?? 0];
    let at = index * size;
    perBlock.forEach((choices, i) => {
      if (choices.length > 0) code[at + choices.indexOf(genes[i]!)] = 1;
      at += choices.length;
    });
  }
  code[start + space.widths.indexOf(genome.widths[0]!)] = 1;
  code[start + space.widths.length + space.resolutions.indexOf(genome.resolution)] = 1;
  code[code.length - 1] = 1;
  return code;
}

/** A guess of what `worths` say about `genomes`, for others. */
export function fitPredictor(
  space: Space,
  genomes: readonly Genome[],
  worths: readonly number[],
): (genome: Genome) => number {
  const codes = genomes.map((genome) => encode(space, genome));
  const size = encode(space, genomes[0]!).length;
  const mean = worths.reduce((sum, worth) => sum + worth, 0) / worths.length;
  // (X'X + ridge) w = X'(y - mean), symmetric and positive definite.
  const matrix = Array.from({ length: size }, (_, i) => {
    const row = new Float64Array(size);
    row[i] = RIDGE;
    return row;
  });
  const right = new Float64Array(size);
  codes.forEach((code, n) => {
    for (let i = 0; i < size; ++i) {
      if (code[i] === 0) continue;
      right[i]! += worths[n]! - mean;
      for (let j = 0; j < size; ++j) matrix[i]![j]! += code[j]!;
    }
  });
  const weights = solve(matrix, right);
  return (genome) => encode(space, genome).reduce((sum, x, i) => sum + x * weights[i]!, mean);
}

/** Cholesky: the lower triangle of `matrix` is overwritten. */
function solve(matrix: readonly Float64Array[], right: Float64Array): Float64Array {
  const n = right.length;
  const x = Float64Array.from(right);
  for (let i = 0; i < n; ++i) {
    const row = matrix[i]!;
    for (let j = 0; j <= i; ++j) {
      let sum = row[j]!;
      for (let k = 0; k < j; ++k) sum -= row[k]! * matrix[j]![k]!;
      row[j] = i === j ? Math.sqrt(sum) : sum / matrix[j]![j]!;
    }
    for (let k = 0; k < i; ++k) x[i]! -= row[k]! * x[k]!;
    x[i]! /= row[i]!;
  }
  for (let i = n - 1; i >= 0; --i) {
    for (let k = i + 1; k < n; ++k) x[i]! -= matrix[k]![i]! * x[k]!;
    x[i]! /= matrix[i]![i]!;
  }
  return x;
}
