/**
 * Usage: node dist/examples/digits/write-data.js [FOLDER = build/digits], from the repository's root after `npm run build`.
 *
 * Writes the digits to FOLDER as `rivulet search --data` reads them, and twenty of them to examples/digits/pictures.
 */
import { join } from 'node:path';
import { loadDigits } from './data.ts';
import { writeIdxFiles, writePictures } from './files.ts';

const folder = process.argv[2] ?? join('build', 'digits');
const digits = loadDigits();
writeIdxFiles(folder, digits);
await writePictures(join('examples', 'digits', 'pictures'), digits.heldOut);
console.log(
  `${digits.training.length} digits to train with and ${digits.heldOut.length} held out, in ${folder}`,
);
