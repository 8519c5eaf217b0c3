/**
 * What no network for a microcontroller comes near, in one place. A hostile file of a few kilobytes can declare tensors
 * of gigabytes or schedules of hours; with these limits the compiler answers within 5 s and 1 GiB whatever it is given.
 * For scale, MCUNetV2-large (224x224, 163 operators) has 6 MB of activations, 2 MB of constants, 6 thousand row entries
 * and reads 12 MB. All are reported as RV2006.
 */
export const LIMITS = {
  /** Of the file; much of one may be the constants of other subgraphs. */
  fileBytes: 1 << 26,
  /** Of a graph, and of one operator's operands and results. */
  operators: 512,
  operands: 256,
  /** Dimensions of a tensor; TFLite's own kernels stop at 8. */
  rank: 8,
  /** Bytes of one tensor, and of all activations together: the plan's proof keeps 8 bytes for each. */
  activationBytes: 1 << 26,
  /** Bytes of all constants, given or computed while compiling; each becomes up to 5 bytes of C. */
  constantBytes: 1 << 23,
  /** Multiply-accumulates or elements of operators that have only constant operands and run while compiling. */
  constantWork: 1 << 24,
  /** Entries in the row tables of all operators: output rows times rows of their windows. */
  rowEntries: 1 << 18,
  /** Pairs of rows of buffers that live at the same time, which the planner compares. */
  rowPairs: 1 << 26,
  /** Bytes that all rows read in one inference; the plan's proof visits every one. */
  bytesRead: 1 << 28,
  /** Pairs of buffers that live at the same time, times the tries of the placement search, which grow with the calls. */
  placements: 1 << 23,
  /** The same for a training, which users know to take longer: a minute or two. */
  trainingPlacements: 1 << 26,
} as const;
