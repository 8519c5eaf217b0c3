/** The command line: verbs in, text or one JSON document out, and an exit code. */
import { Command, CommanderError } from 'commander';
import { type Diagnostic, errorDiagnostic, RivuletError } from '../core/diagnostics.ts';
import { VERSION } from '../version.ts';
import { addCompile } from './compile.ts';
import { addDiff } from './diff.ts';
import { addInspect } from './inspect.ts';
import { addLearn } from './learn.ts';
import { type CliStreams, diagnosticsText, EXIT, printJson, printResult, type Result } from './output.ts';
import { addPareto } from './pareto.ts';
import { addProfile } from './profile.ts';
import { addQuantize } from './quantize.ts';
import { addRun } from './run.ts';
import { addSearch } from './search.ts';
import { addTargets } from './targets.ts';
import { addTrain } from './train.ts';
import { addWorker } from './worker.ts';
import { addZoo } from './zoo.ts';

const EXIT_CODE_HELP = `
Exit codes: 0 done, 2 bad input or option, 3 does not fit the target, 4 diff found a difference, 1 a fault of Rivulet.
With --json, errors too are a document on stdout: { "error": { "diagnostics": [...] } }.`;

/**
 * Runs one command.
 * @param argv the arguments behind the program's name
 * @returns the exit code; see EXIT_CODE_HELP
 */
export async function main(argv: readonly string[], streams: CliStreams): Promise<number> {
  const json = argv.includes('--json');
  try {
    let exitCode: number = EXIT.ok;
    const program = createProgram(streams, (result) => {
      exitCode = printResult(result, json, streams);
    });
    await program.parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
    return printError(error, json, streams);
  }
}

/** The command line of this process. */
export async function runProcess(): Promise<void> {
  // A reader that has seen enough, such as head, is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(EXIT.ok);
  });
  process.exitCode = await main(process.argv.slice(2), {
    stdout: (text) => process.stdout.write(text),
    stderr: (text) => process.stderr.write(text),
    colour: process.stdout.isTTY === true && process.env.NO_COLOR === undefined,
  });
}

function createProgram(streams: CliStreams, deliver: (result: Result) => void): Command {
  const program = new Command('rivulet')
    .description('Compiles quantised neural networks to bit-exact plain C for microcontrollers.')
    .version(VERSION)
    .exitOverride()
    .configureHelp({ showGlobalOptions: false })
    // Complaints become diagnostics; only help that was asked for is commander's to print.
    .configureOutput({ writeOut: streams.stdout, writeErr: () => {}, outputError: () => {} })
    .addHelpText('after', EXIT_CODE_HELP);
  for (const add of [addInspect, addCompile, addRun, addProfile, addDiff, addTargets, addZoo])
    add(program, deliver);
  const tell = (text: string): void => streams.stderr(`${text}\n`);
  addPareto(program, deliver, tell);
  addLearn(program, deliver, tell);
  addTrain(program, deliver, tell);
  addSearch(program, deliver, tell);
  addQuantize(program, deliver, tell);
  addWorker(program, deliver, tell);
  return program;
}

function printError(error: unknown, json: boolean, streams: CliStreams): number {
  const diagnostics = diagnosticsOf(error);
  if (json) printJson({ error: { diagnostics } }, streams);
  else streams.stderr(`${diagnosticsText(diagnostics)}\n`);
  const debug = process.env.RIVULET_DEBUG !== undefined && error instanceof Error;
  if (debug) streams.stderr(`${error.stack}\n`);
  if (!diagnostics.some(({ code }) => code.startsWith('RV9'))) {
    return diagnostics.some(({ code }) => code === 'RV3006') ? EXIT.doesNotFit : EXIT.bad;
  }
  streams.stderr(
    `This is a fault of Rivulet: please report it${debug ? '' : ', with what RIVULET_DEBUG=1 adds'}.\n`,
  );
  return EXIT.internal;
}

function diagnosticsOf(error: unknown): readonly Diagnostic[] {
  if (error instanceof RivuletError) return error.diagnostics;
  if (error instanceof CommanderError) return [usageDiagnostic(error)];
  return [errorDiagnostic('RV9005', error instanceof Error ? error.message : String(error))];
}

/** Commander's `error: what is wrong\n(Did you mean --this?)` as a diagnostic. */
function usageDiagnostic({ code, message }: CommanderError): Diagnostic {
  if (code === 'commander.help') {
    return errorDiagnostic('RV3001', 'no verb is given', { hint: '"rivulet --help" lists them' });
  }
  const [what = '', suggestion = ''] = message.replace(/^error: /, '').split('\n');
  const hint =
    suggestion.replace(/^\((.*)\)$/, '$1') ||
    '"rivulet --help", or --help behind a verb, lists what there is';
  return errorDiagnostic('RV3001', what, { hint });
}
