import { fail } from '../core/diagnostics.ts';
import type { TypedArray } from '../core/dtype.ts';
import type { NodeAttributes, OpName } from './attributes.ts';
import type { Graph, Node, NodeOf, Origin, TensorType, Value, ValueId } from './types.ts';

/**
 * The one way to make a graph. Values and nodes are added in execution order; `build` checks that every operand exists
 * before it is used and that every value has at most one producer.
 */
export class GraphBuilder {
  private readonly values = new Map<ValueId, Value>();
  private readonly nodes: Node[] = [];
  private readonly inputs: ValueId[] = [];
  private readonly name: string;
  private nextId = 0;

  constructor(name: string) {
    this.name = name;
  }

  /** A builder that starts with the values of `graph` (ids kept) and none of its nodes. */
  static from(graph: Graph): GraphBuilder {
    const builder = new GraphBuilder(graph.name);
    for (const value of graph.values.values()) builder.values.set(value.id, value);
    builder.inputs.push(...graph.inputs);
    builder.nextId = Math.max(-1, ...graph.values.keys()) + 1;
    return builder;
  }

  value(id: ValueId): Value {
    return this.values.get(id) ?? fail('RV9001', `value ${id} does not exist in ${this.name}`);
  }

  input(name: string, type: TensorType): ValueId {
    const id = this.addValue({ ...type, name, role: 'input' });
    this.inputs.push(id);
    return id;
  }

  constant(name: string, type: TensorType, data: TypedArray): ValueId {
    return this.addValue({ ...type, name, role: 'const', data });
  }

  /** A value that persists; `data` is what it begins with. */
  state(name: string, type: TensorType, data: TypedArray): ValueId {
    return this.addValue({ ...type, name, role: 'state', data });
  }

  /** A value that a later `node` produces. */
  activation(name: string, type: TensorType): ValueId {
    return this.addValue({ ...type, name, role: 'activation' });
  }

  /** Replaces a value, e.g. to make an activation a constant; the id stays. */
  redefine(value: Value): void {
    this.values.set(value.id, value);
  }

  /** Makes another existing value the graph's `index`-th input. */
  replaceInput(index: number, id: ValueId): void {
    this.inputs[index] = id;
    this.redefine({ ...this.value(id), role: 'input' });
  }

  node<K extends OpName>(
    op: K,
    attrs: NodeAttributes[K],
    ins: readonly (ValueId | null)[],
    outs: readonly ValueId[],
    origin: Origin,
  ): void {
    this.push({ op, attrs, ins, outs, origin } satisfies NodeOf<K> as unknown as Node);
  }

  push(node: Node): void {
    this.nodes.push(node);
  }

  /** Finishes the graph: unused values are dropped, ids are kept. Throws RV9001 when the order is wrong. */
  build(outputs: readonly ValueId[]): Graph {
    const used = new Set<ValueId>([...this.inputs, ...outputs]);
    const defined = new Set<ValueId>(this.inputs);
    for (const node of this.nodes) {
      for (const id of node.ins) {
        if (id === null) continue;
        used.add(id);
        if (this.isComputed(id) && !defined.has(id)) {
          fail('RV9001', `value ${id} is used by ${node.op} before it is computed`);
        }
      }
      for (const id of node.outs) {
        used.add(id);
        if (defined.has(id) || !this.isComputed(id)) {
          fail('RV9001', `value ${id} has two producers, the second is ${node.op}`);
        }
        defined.add(id);
      }
    }
    for (const id of outputs) {
      if (this.isComputed(id) && !defined.has(id)) {
        fail('RV9001', `output ${id} is never computed`);
      }
    }
    const values = new Map([...this.values].filter(([id]) => used.has(id)));
    return {
      name: this.name,
      values,
      nodes: [...this.nodes],
      inputs: [...this.inputs],
      outputs: [...outputs],
    };
  }

  /** Or given: everything but constants and states, which are there from the start. */
  private isComputed(id: ValueId): boolean {
    const { role } = this.value(id);
    return role !== 'const' && role !== 'state';
  }

  private addValue(value: Omit<Value, 'id'>): ValueId {
    const id = this.nextId++;
    this.values.set(id, { ...value, id });
    return id;
  }
}
