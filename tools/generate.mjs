/** Regenerates src/generated/ after a change to a C file: `npm run generate`. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildKernels } from './build-kernels.mjs';
import { embedSources } from './embed-sources.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
embedSources(root);
await buildKernels(root);
