/** NAME_memory.txt: which bytes of the arena hold what, and when. */
import { usesBuffer } from '../plan/liveness.ts';
import { constantBytes } from './constants.ts';
import { banner, type EmitContext } from './context.ts';
import { commentText } from './names.ts';

export function emitMemoryMap(context: EmitContext): string {
  const { program, plan } = context;
  const { weights, tables } = constantBytes(program);
  const rows = program.buffers
    .map((buffer) => {
      const users = program.calls.filter((call) => usesBuffer(call, buffer.id)).map((call) => call.index);
      const first = buffer.role === 'input' ? 'start' : String(Math.min(...users));
      const isOutput = program.outputs.some((port) => port.buffer === buffer.id);
      const last = isOutput ? 'end' : users.length === 0 ? first : String(Math.max(...users));
      return { ...buffer, start: plan.addresses[buffer.id]!, first, last };
    })
    .toSorted((a, b) => a.start - b.start || a.id - b.id);
  const peak = plan.peakCall === null ? undefined : program.calls[plan.peakCall];
  return [
    banner(
      context,
      'Memory map of the arena. Buffers that share bytes are never live in the same byte at the same time.',
    ),
    '',
    `arena      ${plan.arenaBytes} bytes (most bytes live at once: ${plan.liveBytes})`,
    ...(peak
      ? [`peak       layer ${peak.index}: ${commentText(peak.origin.op)} "${commentText(peak.origin.name)}"`]
      : []),
    `constants  ${weights + tables} bytes (weights and biases ${weights}, tables ${tables})`,
    '',
    '     start       end     bytes  layers        role        name',
    ...rows.map(({ start, bytes, first, last, role, name }) =>
      [
        String(start).padStart(10),
        String(start + bytes).padStart(10),
        String(bytes).padStart(10),
        `  ${`${first}-${last}`.padEnd(12)}`,
        `  ${role.padEnd(10)}`,
        `  ${commentText(name)}`,
      ].join(''),
    ),
    '',
    'schedule   layers whose rows run bottom-up: ' +
      (plan.schedule
        .filter((run) => run.step === -1)
        .map((run) => run.call)
        .join(', ') || 'none'),
    '',
  ].join('\n');
}
