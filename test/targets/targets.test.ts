import { describe, expect, it } from 'vitest';
import { cyclesEstimate, findTarget, TARGETS } from '../../src/targets/index.ts';

describe('targets', () => {
  it('are found by name and alias, whatever the case and punctuation', () => {
    for (const name of ['cortex-m4', 'm4', 'M4', 'Cortex_M4', ' cortex m4 '])
      expect(findTarget(name).core.name).toBe('cortex-m4');
    expect(findTarget('m0+').core.name).toBe('cortex-m0plus');
    expect(findTarget('STM32-F746')).toMatchObject({ kind: 'board', sram: 320 * 1024, clockHz: 216e6 });
    expect(findTarget('pico').name).toBe('rp2040');
  });

  it('have names and aliases of their own', () => {
    for (const target of TARGETS)
      for (const name of [target.name, ...target.aliases]) expect(findTarget(name)).toBe(target);
  });

  it('suggest the nearest names for an unknown one', () => {
    expect(() => findTarget('stm32f764')).toThrow(/RV3003.*did you mean stm32f76?4?/s);
    expect(() => findTarget('cortex-m5')).toThrow(/cortex-m3|cortex-m4/);
    expect(() => findTarget('')).toThrow(/RV3003/);
  });

  it('have memory that a machine addresses: no overlaps, whole KiB', () => {
    for (const { core } of TARGETS)
      for (const { flash, ram } of core.machines) {
        const apart = flash.origin + flash.length <= ram.origin || ram.origin + ram.length <= flash.origin;
        expect(apart).toBe(true);
        expect((flash.length | ram.length) % 1024).toBe(0);
      }
  });

  it('estimate cycles as instructions times a factor of the core', () => {
    expect(cyclesEstimate(findTarget('m4').core, 1_000_000)).toBe(1_200_000);
  });
});
