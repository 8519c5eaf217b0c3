/**
 * Patch-based inference (MCUNetV2, Lin et al. 2021): the first operators run once for each tile of the tensor T they
 * end in, on the part of the image that the tile needs, so that no wide tensor is ever whole. Halos between tiles are
 * computed again. Tiles are exact: each operator gets its own padding where the plane ends, and real neighbours elsewhere.
 */
import { fail } from '../core/diagnostics.ts';
import { GraphBuilder } from '../ir/builder.ts';
import {
  describeOrigin,
  type Graph,
  type Node,
  type Origin,
  requireValue,
  type TensorType,
  type Value,
  type ValueId,
} from '../ir/types.ts';
import { planeOf } from '../ops/rows.ts';
import { hull, type Interval, type Region, sameRegion, type Tile, tileOf, wholeOf } from './patch-regions.ts';

/** The numbers of leading operators after which a single image crosses, all of which can be computed in tiles. */
export function patchSplits(graph: Graph): number[] {
  const splits: number[] = [];
  for (const [i, node] of graph.nodes.entries()) {
    const out = requireValue(graph, node.outs[0]!);
    if (typeof tileOf(graph, node, wholeOf(out)) === 'string') break;
    if (crossing(graph, i + 1).length === 1) splits.push(i + 1);
  }
  return splits;
}

/**
 * Computes the tensor after the first `count` operators in `rows` x `columns` tiles. Tile a of p covers positions
 * floor(a * size / p) to floor((a + 1) * size / p): no tile is larger than the published ceil(size / p), none is empty.
 * The outputs are the same bytes.
 * @throws RivuletError RV3001 where `count` cuts through more than one tensor, there are more tiles than rows or columns,
 * or an operator cannot be computed in parts
 */
export function patches(graph: Graph, rows: number, columns: number, count: number): Graph {
  const split = splitTensor(graph, count);
  const { height, width } = planeOf(split.shape);
  const possible = (tiles: number, size: number): boolean =>
    Number.isInteger(tiles) && tiles >= 1 && tiles <= size;
  if (!possible(rows, height) || !possible(columns, width)) {
    fail('RV3001', `a plane of ${height}x${width} has no ${rows}x${columns} patches`, {
      origin: describeOrigin(graph.nodes[count - 1]!.origin),
      hint: `at most ${height}x${width}`,
    });
  }
  return rows * columns === 1 ? graph : new Patching(graph, split, count).run(rows, columns);
}

/** Values of the first `count` operators, or read by them, that are still needed after them. */
function crossing(graph: Graph, count: number): ValueId[] {
  const head = graph.nodes.slice(0, count);
  const later = new Set([...graph.outputs, ...graph.nodes.slice(count).flatMap((node) => node.ins)]);
  const known = new Set(head.flatMap((node) => [...node.ins, ...node.outs]));
  return [...known].filter(
    (id): id is ValueId => id !== null && later.has(id) && requireValue(graph, id).role !== 'const',
  );
}

function splitTensor(graph: Graph, count: number): Value {
  const splits = (): string => {
    const counts = patchSplits(graph);
    return counts.length === 0 ? 'the model has no place for patches' : `split after ${counts.join(', ')}`;
  };
  const last = graph.nodes[count - 1];
  if (last === undefined) {
    fail('RV3001', `patches of ${count} operators where the model has ${graph.nodes.length}`, {
      origin: graph.name,
      hint: splits(),
    });
  }
  const crosses = crossing(graph, count).map((id) => requireValue(graph, id));
  const [split] = crosses;
  if (split === undefined || crosses.length > 1 || split.role !== 'activation') {
    const names = crosses.map(({ name }) => `"${name}"`).join(', ');
    fail(
      'RV3001',
      `patches need a single tensor between the first ${count} operators and the rest, here ${names}`,
      {
        origin: describeOrigin(last.origin),
        hint: splits(),
      },
    );
  }
  return split;
}

/** A value that holds a region of another. */
interface Part {
  readonly id: ValueId;
  readonly region: Region;
}

class Patching {
  private readonly graph: Graph;
  private readonly split: Value;
  private readonly head: readonly Node[];
  private readonly builder: GraphBuilder;

  constructor(graph: Graph, split: Value, count: number) {
    this.graph = graph;
    this.split = split;
    this.head = graph.nodes.slice(0, count);
    this.builder = GraphBuilder.from(graph);
  }

  run(rows: number, columns: number): Graph {
    const whole = wholeOf(this.split);
    const bands = divide(whole.rows, rows).map((band, row, { length }) => {
      const tiles = divide(whole.columns, columns).map((column, index) =>
        this.tile({ rows: band, columns: column }, `patch ${row},${index}`),
      );
      return this.join(2, tiles, { rows: band, columns: whole.columns }, length === 1, `patches ${row}`);
    });
    this.join(1, bands, whole, true, '');
    for (const node of this.graph.nodes.slice(this.head.length)) this.builder.push(node);
    return this.builder.build(this.graph.outputs);
  }

  /** One region of the split tensor, computed from the inputs. */
  private tile(region: Region, suffix: string): ValueId {
    const wanted = new Map([[this.split.id, region]]);
    const tiles: [Node, Tile][] = [];
    for (const node of this.head.toReversed()) {
      const asked = wanted.get(node.outs[0]!);
      // Nothing of what it computes reaches this tile.
      if (asked === undefined) continue;
      const tile = tileOf(this.graph, node, asked);
      if (typeof tile === 'string') failNotPatchable(node, tile);
      tiles.push([node, tile]);
      for (const [i, need] of tile.needs.entries()) {
        if (need === null) continue;
        const id = node.ins[i]!;
        wanted.set(id, hull(wanted.get(id) ?? need, need));
      }
    }
    const parts = new Map<ValueId, Part>();
    for (const [node, tile] of tiles.toReversed()) {
      const ins = node.ins.map((id, i) => {
        const need = tile.needs[i] ?? null;
        if (id === null || need === null) return id;
        if (!parts.has(id)) parts.set(id, this.imagePart(id, wanted.get(id)!, node.origin, suffix));
        return this.cut(parts.get(id)!, need, node.origin, suffix);
      });
      const [out] = node.outs;
      const made = this.value(out!, tile.made, suffix);
      this.builder.push({ ...node, attrs: tile.attrs, ins, outs: [made] } as Node);
      parts.set(out!, { id: made, region: tile.made });
    }
    return this.cut(parts.get(this.split.id)!, region, this.head.at(-1)!.origin, suffix);
  }

  /** What a tile needs of an input of the model. */
  private imagePart(id: ValueId, region: Region, origin: Origin, suffix: string): Part {
    const whole = { id, region: wholeOf(requireValue(this.graph, id)) };
    return { id: this.cut(whole, region, origin, suffix), region };
  }

  /** `region` of a part that may hold more. */
  private cut({ id, region: held }: Part, region: Region, origin: Origin, suffix: string): ValueId {
    if (sameRegion(held, region)) return id;
    const out = this.value(id, region, suffix);
    const begin = [0, region.rows.from - held.rows.from, region.columns.from - held.columns.from, 0];
    this.builder.node('slice', { begin, strides: [1, 1, 1, 1] }, [id], [out], origin);
    return out;
  }

  /** Tiles side by side; the last join gives the split tensor itself. */
  private join(
    axis: number,
    tiles: readonly ValueId[],
    region: Region,
    last: boolean,
    suffix: string,
  ): ValueId {
    if (tiles.length === 1) return tiles[0]!;
    const out = last ? this.split.id : this.value(this.split.id, region, suffix);
    this.builder.node('concat', { axis }, tiles, [out], this.head.at(-1)!.origin);
    return out;
  }

  private value(id: ValueId, region: Region, suffix: string): ValueId {
    const { name } = this.builder.value(id);
    return this.builder.activation(`${name}/${suffix}`, regionType(this.builder.value(id), region));
  }
}

function regionType({ shape, dtype, quantization }: Value, { rows, columns }: Region): TensorType {
  const size = [shape[0]!, rows.to - rows.from, columns.to - columns.from, shape[3]!];
  return { shape: size, dtype, ...(quantization && { quantization }) };
}

function divide({ to: size }: Interval, parts: number): Interval[] {
  const start = (part: number): number => Math.floor((part * size) / parts);
  return Array.from({ length: parts }, (_, part) => ({ from: start(part), to: start(part + 1) }));
}

function failNotPatchable(node: Node, reason: string): never {
  fail('RV3001', `the operator cannot be computed in patches: ${reason}`, {
    origin: describeOrigin(node.origin),
    hint: 'let patches end before it',
  });
}
