/**
 * Latencies that others measured on hardware: TinyEngine's README ("Measured results", 2022-12), on an STM32H743, all
 * compiled with -Ofast. It does not state the clock; we take the highest rated one.
 */

/** A target of Rivulet. */
export const PUBLISHED_BOARD = 'stm32h743';

/**
 * mcunet-vww1 with each engine: published milliseconds beside instructions that we counted in an emulator, with builds of
 * our own (-O2; CMSIS-NN on a Cortex-M7, the others on a Cortex-M4) of versions near the published ones.
 */
export const COUNTED_ENGINES = [
  { engine: 'TFLite Micro, reference kernels', instructions: 856_305_511, publishedMs: 1120 },
  { engine: 'TFLite Micro with CMSIS-NN', instructions: 48_400_000, publishedMs: 97 },
  { engine: 'TinyEngine', instructions: 34_747_474, publishedMs: 51 },
] as const;

/** TinyEngine on the networks of the zoo. */
export const PUBLISHED_LATENCIES = [
  { network: 'mcunet-vww0', publishedMs: 27 },
  { network: 'mcunet-vww1', publishedMs: 51 },
  { network: 'mcunet-vww2', publishedMs: 234 },
  { network: 'mcunet-in0', publishedMs: 25 },
  { network: 'mcunet-in1', publishedMs: 56 },
  { network: 'mcunet-in2', publishedMs: 280 },
  { network: 'mcunet-in3', publishedMs: 336 },
  { network: 'mcunet-in4', publishedMs: 463 },
] as const;
