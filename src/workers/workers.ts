/** Work that may be done anywhere: in this process, in others on this machine, on other machines. */

/** What JSON can say. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * A kind of work: a pure function of its arguments and of bytes that many jobs share, so that it does not matter which
 * worker does a job, nor how often. Kinds are registered by name in `kinds.ts`, so that a worker needs nothing but the name.
 */
export interface Kind<Arguments extends Json, Result extends Json> {
  readonly name: string;
  /**
   * @param blobs by name, as the batch was given them: the same object for all jobs of a batch in one worker, and equal
   * bytes are the same object in later batches too, so what is made of them (an opened network, decoded pictures) can be
   * kept in a WeakMap. They may lie in memory that threads share: they are for reading.
   */
  readonly run: (argument: Arguments, blobs: Blobs) => Result | Promise<Result>;
}

/** Bytes that all jobs of a batch share: weights, pictures. They go to each worker once. */
export type Blobs = Readonly<Record<string, Uint8Array>>;

export interface Batch<Arguments extends Json, Result extends Json> {
  readonly kind: Kind<Arguments, Result>;
  readonly jobs: readonly Arguments[];
  readonly blobs: Blobs;
  /**
   * Whether results are those of the native engine in float32, which differ from processor to processor: other machines take
   * part only if their engine is the very same. WebAssembly and integers are the same everywhere. Default false.
   */
  readonly native?: boolean;
  /** Called as each job ends, in the order in which they end. */
  readonly onResult?: (result: Result, job: number) => void;
}

export interface Workers {
  /** How many jobs run at once, as far as it is known: what progress and the size of batches go by. */
  readonly parallel: number;
  /** @returns the results in the order of the jobs. @throws the first error that a job threw, after which no new job begins */
  map<Arguments extends Json, Result extends Json>(batch: Batch<Arguments, Result>): Promise<Result[]>;
  close(): Promise<void>;
}
