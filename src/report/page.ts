/**
 * report.html: one page that shows where a model's memory goes. It needs no network, and without JavaScript only the
 * drawing and the sorting are missing. The same compilation gives the same bytes.
 */
import type { Optimize } from '../core/isa.ts';
import { WEB } from '../generated/web.ts';
import type { Plan } from '../plan/plan.ts';
import type { Program } from '../program/types.ts';
import type { Target } from '../targets/index.ts';
import type { CompileReport } from './compile-report.ts';
import { flashMap } from './flash-map.ts';
import { flashSection } from './flash-section.ts';
import { layersSection } from './layers-section.ts';
import { html, label, type Markup, trusted } from './markup.ts';
import { memorySection } from './memory-section.ts';
import { summary } from './summary.ts';
import { timeline } from './timeline.ts';

/** What a page is made from; every `Compilation` is one. */
export interface PageSource {
  readonly name: string;
  readonly target: Target;
  readonly program: Program;
  readonly plan: Plan;
  readonly optimize: Optimize;
  readonly report: CompileReport;
}

/**
 * The page as a complete HTML document, UTF-8.
 * @param instructions measured by `profile`, one number a layer
 */
export function reportPage(source: PageSource, instructions?: readonly number[]): string {
  const { name, target, program, plan, optimize, report } = source;
  const flash = flashMap(program, plan, { target, optimize, codeBytes: report.flash.code });
  const title = `${label(name)} on ${target.name}`;
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="${policy()}">
<meta name="generator" content="Rivulet">
<title>${title}: Rivulet report</title>
<style>${trusted(WEB['report.css']!.text)}</style>
</head>
<body>
<main>
${summary(source, instructions)}
${memorySection(report, program, timeline(program, plan))}
${flashSection(report, flash)}
${layersSection(source, flash, instructions)}
</main>
<footer>Made by Rivulet. Bytes of SRAM are planned and proved, those of code estimated; the stack comes on top.</footer>
${SCRIPTS.map(script)}
</body>
</html>
`;
  return page.text;
}

const SCRIPTS = ['memory-view.js', 'sortable-table.js'];

function script(file: string): Markup {
  return html`<script type="module">${trusted(WEB[file]!.text)}</script>
`;
}

/** Only these very scripts may run, and nothing may be loaded. */
function policy(): string {
  const hashes = SCRIPTS.map((file) => `'${WEB[file]!.hash}'`).join(' ');
  return `default-src 'none'; style-src 'unsafe-inline'; script-src ${hashes}; base-uri 'none'; form-action 'none'`;
}
