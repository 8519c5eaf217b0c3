import { basename } from 'node:path';
import type { Command } from 'commander';
import { type InspectedOperator, type InspectedTensor, type InspectReport, inspect } from '../inspect.ts';
import { addJson, MODEL_HELP, readModel } from './model.ts';
import {
  bytes,
  count,
  diagnosticsText,
  EXIT,
  heading,
  printable,
  type Result,
  real,
  shapeText,
  table,
} from './output.ts';

export function addInspect(program: Command, deliver: (result: Result) => void): void {
  addJson(program.command('inspect'))
    .argument('<model>', MODEL_HELP)
    .summary('operators, shapes, costs, and what is unsupported')
    .description(
      'Shows what a model holds. Ends with 2 if it cannot be compiled, and says everything that is in the way.',
    )
    .action(async (path: string) => {
      const report = inspect(await readModel(path), basename(path));
      deliver({
        document: report,
        text: describe(report),
        notes: report.warnings,
        exitCode: report.compilable ? EXIT.ok : EXIT.bad,
      });
    });
}

const FORMATS: Readonly<Record<InspectReport['format'], string>> = {
  tflite: 'TFLite',
  onnx: 'ONNX',
  'int8-mobilenet-blocks': 'JSON and safetensors',
};

function describe(report: InspectReport): string {
  const { file, operators, macs, parameters, parameterBytes, unsupported } = report;
  const tensors = (role: string, list: readonly InspectedTensor[]) =>
    list.map((t) => `${role} ${tensorText(t)}`);
  return [
    heading(`${printable(file)}: ${FORMATS[report.format]}, ${bytes(report.bytes)}`),
    ...(report.description === '' ? [] : [printable(report.description)]),
    ...tensors('input ', report.inputs),
    ...tensors('output', report.outputs),
    `${count(operators.length)} operators, ${count(macs)} MACs, ${count(parameters)} parameters (${bytes(parameterBytes)})`,
    '',
    table(
      [
        { title: '#', right: true },
        { title: 'operator', limit: 32 },
        { title: 'output' },
        { title: 'type' },
        { title: 'MACs', right: true },
        { title: 'parameters', right: true },
        { title: 'weights' },
        { title: 'supported' },
        { title: 'name', limit: 40 },
      ],
      operators.map(operatorRow),
    ),
    '',
    ...(unsupported.length === 0
      ? ['the model can be compiled']
      : [
          heading(`the model cannot be compiled: ${problems(unsupported.length)}`),
          diagnosticsText(unsupported),
        ]),
    '',
  ].join('\n');
}

function operatorRow(operator: InspectedOperator): string[] {
  const output = operator.outputs[0];
  return [
    String(operator.index),
    operator.op,
    output === undefined ? '-' : shapeText(output.shape),
    output?.dtype ?? '-',
    operator.macs === null ? '?' : count(operator.macs),
    count(operator.parameters),
    weightsText(operator),
    operator.supported ? 'yes' : 'NO',
    operator.name,
  ];
}

/** How the first constant with a scale is quantised. */
function weightsText({ inputs }: InspectedOperator): string {
  const weights = inputs.find((t) => t?.constant && (t.quantization !== null || t.dtype.startsWith('float')));
  if (!weights) return '-';
  return `${weights.dtype} ${weights.quantization?.kind ?? 'not quantised'}`;
}

function tensorText({ name, shape, dtype, quantization }: InspectedTensor): string {
  const type = `"${printable(name)}" ${dtype} ${shapeText(shape)}`;
  if (quantization?.kind !== 'per-tensor') return type;
  return `${type}, scale ${real(quantization.scale)}, zero point ${quantization.zeroPoint}`;
}

function problems(n: number): string {
  return n === 1 ? 'one problem' : `${n} problems`;
}
