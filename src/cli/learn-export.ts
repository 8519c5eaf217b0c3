/** `rivulet learn export`: what a device has learnt, as a .tflite file. */
import { basename } from 'node:path';
import type { Command } from 'commander';
import { writeTflite } from '../export/tflite.ts';
import { decodeSlot, slotLayoutOf } from '../learn/slot.ts';
import { trainingGraph } from '../learn/training-graph.ts';
import { writeBack } from '../learn/write-back.ts';
import { readBytes } from '../run/files.ts';
import { VERSION } from '../version.ts';
import { readGraph, readScheme } from './learn-model.ts';
import { bytes, count, EXIT, heading, type Result } from './output.ts';
import { writeFileAt } from './write.ts';

interface ExportOptions {
  readonly scheme: string;
  readonly state: string;
  readonly output: string;
}

/** @param command has the argument MODEL and --scheme */
export function addExport(command: Command, deliver: (result: Result) => void): void {
  command
    .summary('write the network with what a device, or the rehearsal, has learnt')
    .requiredOption('--state <file>', 'a dump of one flash slot, or what "rehearse --state" wrote')
    .requiredOption('-o, --output <file>', 'the .tflite file')
    .action(async (path: string, options: ExportOptions) => {
      const [{ graph }, scheme] = [await readGraph(path), await readScheme(options.scheme)];
      const training = trainingGraph(graph, scheme);
      const slot = await readBytes(options.state, '--state');
      const learnt = decodeSlot(slot, slotLayoutOf(training, scheme), options.state);
      const file = writeTflite(
        writeBack(training, learnt),
        `${basename(path)}, trained by ${scheme.name} for ${learnt.steps} steps; Rivulet ${VERSION}`,
      );
      await writeFileAt(options.output, file);
      const weights = training.layers.filter(({ trained }) => trained !== null).length;
      deliver({
        document: {
          file: options.output,
          bytes: file.length,
          scheme: scheme.name,
          steps: learnt.steps,
          layers: { trained: training.layers.length, weights },
        },
        text: [
          heading(`${options.output}: ${bytes(file.length)}`),
          `learnt   ${count(learnt.steps)} steps by the scheme ${scheme.name}`,
          `trained  ${training.layers.length} layers, ${weights} of them weights; the output is logits`,
          '',
        ].join('\n'),
        exitCode: EXIT.ok,
      });
    });
}
