/** The passes in the order they run, and the one way to run them. */
import { RivuletError } from '../core/diagnostics.ts';
import type { Graph } from '../ir/types.ts';
import { verifyGraph } from '../ops/verify.ts';
import { absorbPadding } from './absorb-padding.ts';
import { eliminateDead } from './eliminate-dead.ts';
import { eliminateReshape } from './eliminate-reshape.ts';
import { eliminateTranspose } from './eliminate-transpose.ts';
import { foldConstants } from './fold-constants.ts';
import { fuseActivation } from './fuse-activation.ts';
import { meanToPool } from './mean-to-pool.ts';
import type { RemovedChannels } from './removal-log.ts';
import { removeConstantChannels } from './remove-constant-channels.ts';
import type { Pass } from './rewrite.ts';
import { stripBoundaryQuantize } from './strip-boundary-quantize.ts';

/** Exact rewrites; each can be left out without changing a byte of the result. */
export const PASSES: readonly Pass[] = [
  foldConstants,
  eliminateTranspose,
  meanToPool,
  eliminateReshape,
  absorbPadding,
  fuseActivation,
  eliminateDead,
  removeConstantChannels,
];

/** int8: boundary conversions are stripped; float: the model's own input and output types are kept. */
export type Io = 'int8' | 'float';

/** All passes but those in `skip`, each result verified; `tell` hears which channels went. */
export function runPasses(
  graph: Graph,
  io: Io,
  skip: readonly string[] = [],
  tell?: (removed: RemovedChannels) => void,
): Graph {
  const boundary = io === 'int8' ? [stripBoundaryQuantize] : [];
  return [...boundary, ...PASSES.filter((pass) => !skip.includes(pass.name))].reduce(
    (current, pass) => runPass(current, pass, tell),
    graph,
  );
}

function runPass(graph: Graph, pass: Pass, tell?: (removed: RemovedChannels) => void): Graph {
  const result = pass.run(graph, tell);
  const problems = verifyGraph(result);
  if (problems.length > 0) {
    throw new RivuletError(
      problems.map((p) => ({ ...p, code: 'RV9001', message: `${pass.name}: ${p.message}` })),
    );
  }
  return result;
}
