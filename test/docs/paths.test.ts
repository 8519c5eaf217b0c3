/** What the documentation refers to exists: paths, links, sections, diagnostics. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DIAGNOSTIC_CODES } from '../../src/core/diagnostics.ts';

const ROOT = join(import.meta.dirname, '../..');
const FOLDERS = ['src', 'test', 'docs', 'tools', 'runtime', 'harness', 'examples', 'bin'];
const PATH = new RegExp(`^(?:${FOLDERS.join('|')})/[\\w./*@-]*$`);

const PAGES = ['README.md', ...readdirSync(join(ROOT, 'docs')).map((file) => `docs/${file}`)].filter(
  (file) => file.endsWith('.md') && existsSync(join(ROOT, file)),
);

const FILES = FOLDERS.flatMap((folder) => [folder, ...filesIn(folder)]);

/** Paths of all files and folders below `folder`, from the root. */
function filesIn(folder: string): string[] {
  const path = join(ROOT, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path, { recursive: true, encoding: 'utf8' }).map((file) => `${folder}/${file}`);
}

function textOf(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8');
}

/** Whether a path exists in which `NAME` and `*` stand for any name or part of one. */
function exists(path: string): boolean {
  const wanted = path
    .replace(/\/$/, '')
    .replace(/[.@]/g, '\\$&')
    .replace(/NAME|\*/g, '[^/]+');
  return FILES.some((file) => new RegExp(`^${wanted}$`).test(file));
}

/** Anchors of a page's headings as GitHub makes them. */
function anchorsOf(page: string): string[] {
  return [...textOf(page).matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
    title!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

describe.each(PAGES)('%s', (page) => {
  const text = textOf(page);

  it('names paths that exist', () => {
    const named = [...text.matchAll(/`([^`\n]+)`/g)]
      .map(([, code]) => code!)
      .filter((code) => PATH.test(code));
    expect(named.filter((path) => !exists(path))).toEqual([]);
  });

  it('links to pages and sections that exist', () => {
    const broken = [...text.matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, link]) => link!)
      .filter((link) => !/^[a-z]+:/.test(link))
      .filter((link) => {
        const [path, anchor] = link.split('#') as [string, string?];
        const target = path === '' ? page : relative(ROOT, join(ROOT, dirname(page), path));
        if (!existsSync(join(ROOT, target))) return true;
        return anchor !== undefined && !anchorsOf(target).includes(anchor);
      });
    expect(broken).toEqual([]);
  });

  it('names diagnostics that exist', () => {
    const named = [...text.matchAll(/\bRV\d{4}\b/g)].map(([code]) => code);
    expect(named.filter((code) => !(code in DIAGNOSTIC_CODES))).toEqual([]);
  });
});

it('has the sections and pages that comments in the sources refer to', () => {
  const sections = [...textOf('docs/numerics.md').matchAll(/^## (\d+)\. /gm)].map(([, number]) => number!);
  const sources = FILES.filter((file) => /^(?:src|runtime|harness|tools)\/.*\.(?:ts|mjs|c|h)$/.test(file));
  const broken = sources.flatMap((file) => {
    const references = textOf(file).matchAll(/\bdocs\/(\w[\w-]*\.md)(?:, section (\d+))?/g);
    return [...references]
      .filter(([, page, section]) => {
        if (!existsSync(join(ROOT, 'docs', page!))) return true;
        return section !== undefined && !(page === 'numerics.md' && sections.includes(section));
      })
      .map(([reference]) => `${file}: ${reference}`);
  });
  expect(broken).toEqual([]);
});
