import { fail } from '../core/diagnostics.ts';
import type { Dataset, Item } from '../data/dataset.ts';
import { inputsOf, type Normalisation } from '../data/inputs.ts';
import { elementCount, type Graph, requireValue } from '../ir/types.ts';
import { type EngineHost, openEngine } from '../run/engine/engine.ts';
import { argmax } from './quality.ts';

export interface Measured {
  readonly accuracy: { readonly float: number; readonly int8: number };
  /** Share of items with the same answer. */
  readonly agreement: number;
}

/**
 * A float32 network and its int8 form on every item of `test`.
 * @throws RivuletError RV4006 if the items do not fit the networks
 */
export function measure(
  graphs: { readonly float: Graph; readonly int8: Graph },
  test: Dataset,
  normalisation: Normalisation,
  host: EngineHost,
): Measured {
  const outputs = elementCount(requireValue(graphs.float, graphs.float.outputs[0]!).shape);
  if (outputs < test.classes.length) {
    fail('RV4006', `the network has ${outputs} outputs, the data ${test.classes.length} classes`);
  }
  const answer = (graph: Graph, dtype: 'float32' | 'int8') => {
    const toInput = inputsOf(test, inputType(graph, dtype), normalisation);
    const engine = openEngine(graph, host);
    return (values: Item['values']): number => {
      (engine.input(0) as Float32Array | Int8Array).set(toInput(values));
      engine.run();
      return argmax(engine.output(0) as Float32Array | Int8Array);
    };
  };
  const [ofFloat, ofInt8] = [answer(graphs.float, 'float32'), answer(graphs.int8, 'int8')];
  const right = { float: 0, int8: 0, same: 0 };
  for (let i = 0; i < test.length; ++i) {
    const { values, label } = test.item(i);
    const [a, b] = [ofFloat(values), ofInt8(values)];
    right.float += Number(a === label);
    right.int8 += Number(b === label);
    right.same += Number(a === b);
  }
  return {
    accuracy: { float: right.float / test.length, int8: right.int8 / test.length },
    agreement: right.same / test.length,
  };
}

/** What the first input of a graph takes. */
export function inputType(graph: Graph, dtype: 'float32' | 'int8') {
  const { shape, quantization } = requireValue(graph, graph.inputs[0]!);
  const [scale = 1, zeroPoint = 0] = [quantization?.scales[0], quantization?.zeroPoints[0]];
  return { shape, dtype, scale, zeroPoint };
}
