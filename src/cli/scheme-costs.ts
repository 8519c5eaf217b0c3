/** What a scheme costs on a target: the planner's count, and the linked firmware's where there is an emulator. */
import { RivuletError } from '../core/diagnostics.ts';
import { estimateCode } from '../cost/code-size.ts';
import { estimateInstructions } from '../cost/instructions.ts';
import { constantBytes } from '../emit/constants.ts';
import { emitProject } from '../emit/project.ts';
import { counterBytes } from '../emit/push.ts';
import type { Graph } from '../ir/types.ts';
import type { Choice, Cost, Costs } from '../learn/choose-scheme.ts';
import { compileTraining, lowerTraining, type TrainingProgram } from '../learn/compile-training.ts';
import { keptBytes } from '../learn/kept-bytes.ts';
import { streamedLiveBytes } from '../learn/live-bytes.ts';
import { parseScheme, type Scheme } from '../learn/scheme.ts';
import { trainingGraph } from '../learn/training-graph.ts';
import { measureTraining } from '../run/training-firmware.ts';
import type { Target } from '../targets/index.ts';

const NO_PROGRAM: Cost = {
  sram: Number.POSITIVE_INFINITY,
  flash: Number.POSITIVE_INFINITY,
  instructions: Number.POSITIVE_INFINITY,
};

export interface SchemeCostsOptions {
  readonly classes: number;
  readonly target: Target;
  /** Bytes of stack to count; measured: the firmware is linked, and runs in an emulator. */
  readonly stack: number | 'measured';
  /** Called before a program is placed. */
  readonly tell: (placed: number) => void;
}

export class SchemeCosts implements Costs {
  private readonly model: Graph;
  private readonly options: SchemeCostsOptions;
  private readonly keptKnown = new Map<string, number>();
  private readonly leastKnown = new Map<string, Cost>();
  private readonly countedKnown = new Map<string, Promise<Cost>>();

  /** @param model after `prepareForTraining` */
  constructor(model: Graph, options: SchemeCostsOptions) {
    this.model = model;
    this.options = options;
  }

  kept(choice: Choice): number {
    return remembered(this.keptKnown, choice, () =>
      keptBytes(trainingGraph(this.model, schemeOf(choice, this.options.classes))),
    );
  }

  least(choice: Choice): Cost {
    return remembered(this.leastKnown, choice, () => this.quickly(choice));
  }

  counted(choice: Choice): Promise<Cost> {
    return remembered(this.countedKnown, choice, () => {
      this.options.tell(this.countedKnown.size);
      return this.precisely(choice);
    });
  }

  private lowering(choice: Choice) {
    const { classes, target } = this.options;
    const kernels = { isas: target.core.isas, optimize: 'speed' } as const;
    return { scheme: schemeOf(choice, classes), kernels };
  }

  private quickly(choice: Choice): Cost {
    try {
      const { lowered } = lowerTraining(this.model, this.lowering(choice));
      const { weights, tables } = constantBytes(lowered);
      return {
        sram: streamedLiveBytes(lowered),
        flash: weights + tables,
        instructions: this.instructions(lowered),
      };
    } catch (error) {
      return unplannable(error);
    }
  }

  private async precisely(choice: Choice): Promise<Cost> {
    let made: TrainingProgram;
    try {
      made = compileTraining(this.model, this.lowering(choice));
    } catch (error) {
      return unplannable(error);
    }
    const { target, stack } = this.options;
    const { program, plan } = made;
    const instructions = this.instructions(program);
    if (stack === 'measured') return { ...(await this.measured(made)), instructions };
    const code = estimateCode({ program, plan, optimize: 'speed' }, target.core.name);
    const { weights, tables } = constantBytes(program);
    return {
      sram: plan.arenaBytes + counterBytes(program, plan) + stack,
      flash: weights + tables + code.constantBytes + code.bytes,
      instructions,
    };
  }

  private async measured({ program, plan }: TrainingProgram): Promise<Pick<Cost, 'sram' | 'flash'>> {
    const optimize = 'speed';
    const project = emitProject(program, plan, { name: 'planned', optimize, provenance: '' });
    const core = this.options.target.core.name;
    const image = new Uint8Array(program.inputs[0]!.bytes).map((_, i) => (i * 37 + 11) & 255);
    const { sram, flash } = await measureTraining(
      { name: 'planned', project, program, plan, core, optimize },
      { image, label: 0, rate: 0.001 },
    );
    return { sram: sram.total, flash: flash.total };
  }

  /** 0 on a core whose instructions nobody has counted. */
  private instructions(program: TrainingProgram['program']): number {
    return estimateInstructions(program, this.options.target.core.name, 'speed')?.total ?? 0;
  }
}

/** A choice as a scheme that `rivulet learn compile` takes. */
export function schemeOf({ biases, weights }: Choice, classes: number, name = 'plan'): Scheme {
  return parseScheme(JSON.stringify({ name, classes, biases, weights }), name);
}

/** RV2006: planning it would take too long; a search goes on without it. */
function unplannable(error: unknown): Cost {
  if (error instanceof RivuletError && error.diagnostics.some(({ code }) => code === 'RV2006'))
    return NO_PROGRAM;
  throw error;
}

function remembered<T>(known: Map<string, T>, choice: Choice, compute: () => T): T {
  const key = JSON.stringify([choice.biases, choice.weights]);
  let answer = known.get(key);
  if (answer === undefined) {
    answer = compute();
    known.set(key, answer);
  }
  return answer;
}
