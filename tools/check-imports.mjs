/**
 * Architecture as a check: imports inside src/ point one way, and everything the browser runs is free of Node.
 * The table below is the rule; docs/architecture.md explains it.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What each folder of src/ may import besides itself. `.` stands for the files directly in src/. */
const ALLOWED = {
  core: [],
  generated: [],
  ir: ['core'],
  formats: ['core'],
  audio: ['core', 'formats'],
  zoo: ['core', 'formats'],
  targets: ['core'],
  program: ['core', 'ir', 'generated'],
  ops: ['core', 'ir', 'program', 'formats'],
  integer: ['core', 'ir', 'ops'],
  import: ['core', 'ir', 'formats', 'ops', 'integer'],
  export: ['core', 'ir', 'formats', 'ops'],
  analysis: ['core', 'ir', 'ops'],
  autodiff: ['core', 'ir', 'ops'],
  passes: ['core', 'ir', 'ops', 'analysis'],
  lower: ['core', 'ir', 'program', 'ops', 'analysis'],
  plan: ['core', 'program'],
  schedule: ['core', 'program', 'plan'],
  tradeoff: ['core', 'ir', 'ops', 'passes', 'lower', 'program', 'plan', 'schedule'],
  emit: ['core', 'ir', 'audio', 'generated', 'program', 'plan'],
  learn: ['core', 'ir', 'program', 'ops', 'passes', 'lower', 'plan', 'schedule'],
  data: ['core', 'audio', 'formats', 'run'],
  rehearse: ['core', 'ir', 'data', 'learn', 'run'],
  train: ['core', 'ir', 'audio', 'formats', 'ops', 'autodiff', 'lower', 'data', 'run', 'nas'],
  workers: ['core'],
  supernet: ['core', 'ir', 'program', 'autodiff', 'data', 'run', 'nas', 'train'],
  nas: [
    'core',
    'ir',
    'formats',
    'program',
    'ops',
    'import',
    'passes',
    'lower',
    'plan',
    'schedule',
    'tradeoff',
    'emit',
    'cost',
    'targets',
    'zoo',
  ],
  quantize: ['core', 'ir', 'ops', 'integer', 'passes', 'run'],
  cost: ['core', 'program', 'emit', 'targets'],
  report: ['core', 'audio', 'generated', 'program', 'plan', 'emit', 'cost', 'targets'],
  '.': [
    'core',
    'generated',
    'ir',
    'audio',
    'formats',
    'program',
    'ops',
    'import',
    'export',
    'passes',
    'autodiff',
    'lower',
    'plan',
    'schedule',
    'tradeoff',
    'emit',
    'cost',
    'report',
    'targets',
    'run',
    'quantize',
    'zoo',
  ],
  run: [
    'core',
    'ir',
    'generated',
    'program',
    'ops',
    'autodiff',
    'lower',
    'plan',
    'emit',
    'learn',
    'targets',
    '.',
  ],
  cli: [
    'core',
    'ir',
    'audio',
    'formats',
    'import',
    'export',
    'learn',
    'nas',
    'data',
    'rehearse',
    'train',
    'supernet',
    'quantize',
    'emit',
    'cost',
    'report',
    'targets',
    'run',
    'zoo',
    '.',
  ],
};

/** Node modules may be used only here; all other files run in a browser. */
const NODE_FOLDERS = ['run', 'cli', 'data', 'rehearse', 'train', 'supernet'];
const BROWSER_FILES = [
  'run/engine/engine.ts',
  'run/engine/wasm-host.ts',
  'run/kernel-module.ts',
  'run/reference.ts',
  'run/stream.ts',
  'run/wasm.ts',
];

/** All violations, as `file: what`. */
export function importViolations(root) {
  const src = join(root, 'src');
  const violations = [];
  for (const path of readdirSync(src, { recursive: true, encoding: 'utf8' })) {
    if (!path.endsWith('.ts')) continue;
    const folder = folderOf(path);
    const text = readFileSync(join(src, path), 'utf8');
    for (const [, specifier] of text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)) {
      if (specifier.startsWith('.')) {
        const target = relative(src, resolve(dirname(join(src, path)), specifier));
        const to = folderOf(target);
        if (to !== folder && !ALLOWED[folder]?.includes(to))
          violations.push(`${path}: ${folder} may not import ${to}`);
        if (BROWSER_FILES.includes(path) && to === 'run' && !BROWSER_FILES.includes(target)) {
          violations.push(`${path}: runs in a browser, may not import ${target}`);
        }
      } else if (!NODE_FOLDERS.includes(folder) || BROWSER_FILES.includes(path)) {
        violations.push(`${path}: may not import the package or Node module ${specifier}`);
      }
    }
  }
  return violations;
}

function folderOf(path) {
  const slash = path.indexOf('/');
  return slash < 0 ? '.' : path.slice(0, slash);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const violations = importViolations(join(dirname(fileURLToPath(import.meta.url)), '..'));
  for (const violation of violations) console.error(violation);
  process.exitCode = violations.length > 0 ? 1 : 0;
}
