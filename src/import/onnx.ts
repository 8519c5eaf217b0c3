/** ONNX file -> graph with channels last: float32, or int8 if the file says scales. Everything that is unsupported in a model is reported at once. */
import { type Diagnostic, type DiagnosticCode, errorDiagnostic, RivuletError } from '../core/diagnostics.ts';
import type { OnnxGraph, OnnxNode, OnnxPort, OnnxTensor } from '../formats/onnx/model.ts';
import { readOnnx } from '../formats/onnx/reader.ts';
import { GraphBuilder } from '../ir/builder.ts';
import { describeOrigin, type Graph, type Origin } from '../ir/types.ts';
import { Rejection } from '../ops/import-context.ts';
import { type Numbers, verifyGraph } from '../ops/verify.ts';
import { fileProblem, limitProblems, operatorProblems, tensorProblem } from './limits.ts';
import { fold, type KnownTensor } from './onnx/constants.ts';
import { OnnxContext, type Quantized, reject, type Term, TO_LAST } from './onnx/context.ts';
import { ONNX_IMPORTERS } from './onnx/operators.ts';
import { integerGraph } from './onnx/qdq.ts';

/** Versions of the operators that are understood. */
const OPSETS = [13, 21] as const;

/**
 * Reads an ONNX model into a graph. Inputs and outputs of four dimensions are [batch, rows, columns, channels]; a batch that
 * is not fixed is 1.
 * @param name the graph's name, e.g. the file name
 * @param numbers 'float' where a float32 graph is welcome
 * @throws RivuletError with every problem found
 */
export function importOnnx(bytes: Uint8Array, name: string, numbers: Numbers): Graph {
  const tooLarge = fileProblem(bytes, name);
  if (tooLarge !== undefined) throw new RivuletError([tooLarge]);
  const { opset, graph } = readOnnx(bytes, name);
  if (opset < OPSETS[0] || opset > OPSETS[1]) {
    throw new RivuletError([
      errorDiagnostic('RV1005', `operators of version ${opset} are not supported`, {
        origin: name,
        hint: `export the model with an opset from ${OPSETS[0]} to ${OPSETS[1]}`,
      }),
    ]);
  }
  return new Importer(graph, name, numbers).run();
}

class Importer {
  private readonly errors: Diagnostic[] = [];
  private readonly builder: GraphBuilder;
  private readonly source: OnnxGraph;
  private readonly name: string;
  private readonly numbers: Numbers;
  /** What is known or computed by name; undefined for results of operators with an error. */
  private readonly quantized: Quantized = new Map();
  private readonly terms = new Map<string, Term | undefined>();

  constructor(source: OnnxGraph, name: string, numbers: Numbers) {
    this.source = source;
    this.name = name;
    this.numbers = numbers;
    this.builder = new GraphBuilder(name);
  }

  run(): Graph {
    const { nodes, inputs, outputs, initializers } = this.source;
    if (nodes.length === 0 || inputs.length === 0 || outputs.length === 0) {
      const counts = `${inputs.length} inputs, ${nodes.length} operators, ${outputs.length} outputs`;
      this.error('RV2007', `the model has ${counts}`, this.name);
    }
    // Exporters write a dozen nodes for what is one constant.
    const layers = nodes.filter(({ op }) => op !== 'Constant').length;
    this.errors.push(...operatorProblems(layers, this.name));
    this.throwErrors();
    for (const [name, known] of initializers) this.terms.set(name, { known });
    for (const input of inputs) this.defineInput(input);
    this.throwErrors();
    for (const [index, node] of nodes.entries()) this.importNode(node, index);
    this.throwErrors();
    const results = outputs.flatMap(({ name }) => {
      const term = this.terms.get(name);
      if (term !== undefined && 'computed' in term) return [term.computed.id];
      this.error('RV1004', `the output "${name}" is not computed`, this.name);
      return [];
    });
    this.throwErrors();
    const imported = this.builder.build(results);
    const graph = this.quantized.size === 0 ? imported : integerGraph(imported, this.quantized);
    this.errors.push(...verifyGraph(graph, this.numbers));
    this.throwErrors();
    this.errors.push(...limitProblems(graph, this.numbers));
    this.throwErrors();
    return graph;
  }

  private defineInput({ name, dtype, shape }: OnnxPort): void {
    const origin = `input "${name}"`;
    if (this.terms.has(name)) this.error('RV1004', 'the tensor is an input twice', origin);
    if (dtype !== 'float32') {
      this.error('RV2003', `the input is ${dtype ?? 'of a type that is not known'}, not float32`, origin);
    }
    if (shape === undefined || shape.length === 0) {
      this.error('RV2005', 'the input has no shape', origin);
      return;
    }
    const sizes = shape.map((size, d) => (d === 0 && typeof size === 'string' ? 1 : size));
    if (!sizes.every((size): size is number => typeof size === 'number' && size >= 1)) {
      this.error(
        'RV2005',
        `the shape [${shape.map((size) => size || '?')}] is dynamic or empty`,
        origin,
        HINT,
      );
      return;
    }
    const last = sizes.length === 4;
    const type = { shape: last ? TO_LAST.map((d) => sizes[d]!) : sizes, dtype: 'float32' } as const;
    const limit = tensorProblem(type, origin);
    if (limit !== undefined) {
      this.errors.push(limit);
      return;
    }
    const id = this.builder.input(name, type);
    this.terms.set(name, { computed: { id, shape: sizes, layout: last ? 'channels-last' : 'plain' } });
  }

  private importNode(node: OnnxNode, index: number): void {
    const origin: Origin = { index, op: node.op, name: node.outputs[0] ?? node.name };
    for (const name of node.outputs) {
      if (name !== '' && this.terms.has(name)) {
        this.error('RV1004', `tensor "${name}" is computed twice`, describeOrigin(origin));
        return;
      }
    }
    try {
      const terms = node.inputs.map((name) => (name === '' ? null : this.operand(name)));
      for (const name of node.outputs) if (name !== '') this.terms.set(name, undefined);
      // What follows from an error is not reported again.
      if (terms.includes(undefined)) return;
      this.importTerms(node, origin, terms as (Term | null)[]);
    } catch (rejection) {
      if (!(rejection instanceof Rejection)) throw rejection;
      this.error(rejection.code, rejection.message, describeOrigin(origin), rejection.hint);
    }
  }

  private importTerms(node: OnnxNode, origin: Origin, terms: readonly (Term | null)[]): void {
    const known = knownResult(node, terms);
    if (known !== undefined) {
      this.terms.set(node.outputs[0]!, { known });
      return;
    }
    const importer = Object.hasOwn(ONNX_IMPORTERS, node.op) ? ONNX_IMPORTERS[node.op] : undefined;
    if (importer === undefined || node.domain !== '') {
      const name = node.domain === '' ? node.op : `${node.domain}.${node.op}`;
      reject('RV2001', `${name} is not supported`, 'docs/formats.md lists the operators of ONNX that are');
    }
    importer(
      new OnnxContext(this.builder, node, origin, terms, this.quantized, (output, term) => {
        const name = node.outputs[output];
        if (name !== undefined && name !== '') this.terms.set(name, term);
      }),
    );
  }

  /** Undefined if its operator has an error. */
  private operand(name: string): Term | undefined {
    if (!this.terms.has(name)) reject('RV1004', `tensor "${name}" is used before it is computed`);
    return this.terms.get(name);
  }

  private error(code: DiagnosticCode, message: string, origin: string, hint?: string): void {
    this.errors.push(errorDiagnostic(code, message, { origin, ...(hint && { hint }) }));
  }

  private throwErrors(): void {
    if (this.errors.length > 0) throw new RivuletError(this.errors);
  }
}

const HINT = 'export the model with a fixed input size; only a dynamic batch is understood (as 1)';

/** The result of a node that depends on no input. */
function knownResult(node: OnnxNode, terms: readonly (Term | null)[]): KnownTensor | undefined {
  if (node.op === 'Constant') return constantOf(node);
  const [first] = terms;
  if (node.op === 'Shape' && first) {
    const { shape } = 'known' in first ? first.known : first.computed;
    return { shape: [shape.length], dtype: 'int64', values: Float64Array.from(shape) };
  }
  if (!terms.every((term) => term === null || 'known' in term)) return undefined;
  const ins = terms.map((term) => (term !== null && 'known' in term ? term.known : null));
  return fold({ ...node, ins });
}

function constantOf({ attributes }: OnnxNode): OnnxTensor {
  const tensor = attributes.get('value')?.tensor;
  if (tensor !== undefined) return tensor;
  const int = attributes.get('value_int');
  if (int !== undefined) return { shape: [], dtype: 'int64', values: Float64Array.of(int.int) };
  const ints = attributes.get('value_ints')?.ints;
  if (ints !== undefined) {
    return { shape: [ints.length], dtype: 'int64', values: Float64Array.from(ints) };
  }
  const float = attributes.get('value_float');
  if (float !== undefined) return { shape: [], dtype: 'float32', values: Float32Array.of(float.float) };
  return reject('RV1005', 'this kind of constant is not supported');
}
