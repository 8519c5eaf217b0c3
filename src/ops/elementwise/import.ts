import type { ImportContext, TfliteImporter } from '../import-context.ts';

export const importAdd = withActivation<'ADD'>('add');
export const importSub = withActivation<'SUB'>('sub');
export const importMul = withActivation<'MUL'>('mul');
export const importMaximum: TfliteImporter<'MAXIMUM'> = (_, context) => plain('maximum', context);
export const importMinimum: TfliteImporter<'MINIMUM'> = (_, context) => plain('minimum', context);
export const importPrelu: TfliteImporter<'PRELU'> = (_, context) => plain('prelu', context);

function withActivation<N extends 'ADD' | 'SUB' | 'MUL'>(op: 'add' | 'sub' | 'mul'): TfliteImporter<N> {
  return ({ options }, context) => {
    const clamp = context.activationClamp(options.activation, context.result());
    context.node(op, { clamp }, [context.operand(0), context.operand(1)], [context.result()]);
  };
}

function plain(op: 'maximum' | 'minimum' | 'prelu', context: ImportContext): void {
  context.node(op, {}, [context.operand(0), context.operand(1)], [context.result()]);
}
