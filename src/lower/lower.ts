/** Graph -> Program, with the whole-tensor schedule: every call runs all its rows before the next begins. */
import { fail } from '../core/diagnostics.ts';
import { asBytes, DTYPES } from '../core/dtype.ts';
import { type KernelChoice, PORTABLE_KERNELS } from '../core/isa.ts';
import type { OpName } from '../ir/attributes.ts';
import { elementCount, type Graph, type Node, type Value, type ValueId } from '../ir/types.ts';
import type { CallSpec, NodeView, RowSpec } from '../ops/definition.ts';
import { definitionOf, viewOf } from '../ops/view.ts';
import { kernelSource, requireFields } from '../program/kernel-source.ts';
import type {
  BoundKernel,
  Buffer,
  BufferId,
  BufferRole,
  Call,
  Port,
  Program,
  RoomyKernel,
  Slot,
  SlotSource,
  State,
} from '../program/types.ts';
import { ConstantPool } from './constants.ts';
import { type Selected, selectKernels } from './select.ts';

export function lower(graph: Graph, choice: KernelChoice = PORTABLE_KERNELS): Program {
  return new Lowering(graph, choice).run();
}

/** Kernels read and write words of states. */
const STATE_ALIGNMENT = 4;

class Lowering {
  private readonly graph: Graph;
  private readonly choice: KernelChoice;
  private readonly buffers: Buffer[] = [];
  private readonly calls: Call[] = [];
  private readonly constants = new ConstantPool();
  /** Where each value's bytes are; reshapes share the place of their operand. */
  private readonly places = new Map<ValueId, SlotSource>();
  private readonly states: State[] = [];
  /** Where in their buffer states begin. */
  private readonly offsets = new Map<ValueId, number>();

  constructor(graph: Graph, choice: KernelChoice) {
    this.graph = graph;
    this.choice = choice;
  }

  run(): Program {
    const { graph } = this;
    for (const id of graph.inputs) this.place(id, 'input');
    this.placeStates();
    for (const node of graph.nodes) this.lowerNode(node);
    const outputs = graph.outputs.map((id) => this.outputPort(id));
    const outputBuffers = new Set(outputs.map((port) => port.buffer));
    return {
      name: graph.name,
      buffers: this.buffers.map((buffer) =>
        buffer.role === 'activation' && outputBuffers.has(buffer.id) ? { ...buffer, role: 'output' } : buffer,
      ),
      constants: this.constants.all(),
      calls: this.calls,
      schedule: this.calls.map((call) => ({ call: call.index, first: 0, count: call.firings, step: 1 })),
      inputs: graph.inputs.map((id) => this.port(this.value(id))),
      outputs,
      states: this.states,
    };
  }

  private lowerNode(node: Node): void {
    const definition = definitionOf(node);
    const view = viewOf(this.graph, node);
    if (definition.kernels === 'alias') {
      this.places.set(node.outs[0]!, this.source(view.ins[0]!));
      this.offsets.set(node.outs[0]!, this.offsets.get(view.ins[0]!.id) ?? 0);
      return;
    }
    const { kernel, roomy } = selectKernels(definition.kernels, this.choice, view, node);
    for (const id of node.outs) this.place(id, 'activation');
    const specs = kernel.kernel.bind(view);
    const macs = definition.macs(view);
    specs.forEach((spec, part) => {
      const last = part === specs.length - 1;
      this.addCall(node, kernel, spec, last ? roomy : [], view, last ? macs : 0, last);
    });
  }

  private bind({ kernel: { name, shared = false }, why }: Selected, spec: CallSpec): BoundKernel {
    const source = kernelSource(name);
    requireFields(name, source.geometry, spec.geometry);
    requireFields(name, source.data, spec.data);
    const data = Object.entries(spec.data).map(([field, constant]) => [
      field,
      this.constants.add(constant.data, constant.role),
    ]);
    return { kernel: name, why, geometry: spec.geometry, data: Object.fromEntries(data), shared };
  }

  private addCall(
    node: Node,
    selected: Selected,
    spec: CallSpec,
    roomy: readonly Selected[],
    view: NodeView<OpName>,
    macs: number,
    last: boolean,
  ): void {
    const { ins } = view;
    const index = this.calls.length;
    const output = this.value(node.outs[0]!);
    const scratchBytes = spec.scratchBytes ?? 0;
    this.calls.push({
      index,
      origin: node.origin,
      op: node.op,
      macs,
      ...this.bind(selected, spec),
      firings: spec.firings,
      slots: spec.slots.map((slot): Slot => {
        const { operand, ...rows } = slot;
        const value = ins[operand]!;
        const ring = placesOf(rows, bytesOf(value));
        const offset = rows.offset + (this.offsets.get(value.id) ?? 0);
        return { ...rows, offset, ring, turn: 0, source: this.source(value) };
      }),
      output: {
        ...spec.output,
        ring: placesOf(spec.output, bytesOf(output)),
        turn: 0,
        buffer: this.bufferOf(output),
      },
      scratch:
        scratchBytes === 0 ? null : this.addBuffer(`${node.origin.name}/scratch`, scratchBytes, 'scratch'),
      scratchKeeps: spec.scratchKeeps ?? false,
      inPlace: spec.inPlace ?? [],
      inPlaceExactly: spec.inPlaceExactly ?? [],
      reversible: spec.reversible ?? true,
      roomy: roomy.map((faster) => this.bindRoomy(faster, view)),
      result: last ? this.port(output) : null,
    });
  }

  private bindRoomy(selected: Selected, view: NodeView<OpName>): RoomyKernel {
    const [spec] = selected.kernel.bind(view);
    return { ...this.bind(selected, spec!), scratchBytes: spec!.scratchBytes ?? 0 };
  }

  private source(value: Value): SlotSource {
    const known = this.places.get(value.id);
    if (known !== undefined) return known;
    const constant: SlotSource = { kind: 'constant', constant: this.constants.add(value.data!, 'weights') };
    this.places.set(value.id, constant);
    return constant;
  }

  private place(id: ValueId, role: BufferRole): void {
    const value = this.value(id);
    this.places.set(id, { kind: 'buffer', buffer: this.addBuffer(value.name, bytesOf(value), role) });
  }

  /** States lie one after the other: all live for ever, and the planner has one buffer to place. */
  private placeStates(): void {
    const values = [...this.graph.values.values()].filter(({ role }) => role === 'state');
    if (values.length === 0) return;
    const buffer = this.buffers.length;
    let end = 0;
    for (const value of values) {
      const bytes = bytesOf(value);
      const initial = isZero(asBytes(value.data!)) ? null : this.constants.add(value.data!, 'weights');
      this.states.push({ name: value.name, buffer, offset: end, bytes, initial });
      this.places.set(value.id, { kind: 'buffer', buffer });
      this.offsets.set(value.id, end);
      end += Math.ceil(bytes / STATE_ALIGNMENT) * STATE_ALIGNMENT;
    }
    this.addBuffer('states', end, 'state');
  }

  private addBuffer(name: string, bytes: number, role: BufferRole): BufferId {
    this.buffers.push({ id: this.buffers.length, name, bytes, role });
    return this.buffers.length - 1;
  }

  private bufferOf(value: Value): BufferId {
    const source = this.source(value);
    if (source.kind === 'buffer') return source.buffer;
    return fail('RV2007', `"${value.name}" is the same for every input`, {
      origin: this.graph.name,
      hint: 'the model computes this output from constants alone; remove it from the outputs',
    });
  }

  private port(value: Value): Port {
    const { name, shape, dtype, quantization } = value;
    const bytes = bytesOf(value);
    return { name, shape, dtype, bytes, buffer: this.bufferOf(value), ...(quantization && { quantization }) };
  }

  private outputPort(id: ValueId): Port {
    return this.port(this.value(id));
  }

  private value(id: ValueId): Value {
    return this.graph.values.get(id)!;
  }
}

/** States are many, and most of an optimiser's are zeros. */
function isZero(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; ++i) if (bytes[i] !== 0) return false;
  return true;
}

/** Whole tensors: a place for every row that fits. */
function placesOf({ offset, pitch, rowBytes }: RowSpec, bytes: number): number {
  return pitch === 0 ? 1 : Math.floor((bytes - offset - rowBytes) / pitch) + 1;
}

function bytesOf(value: Value): number {
  return elementCount(value.shape) * DTYPES[value.dtype].bytes;
}
