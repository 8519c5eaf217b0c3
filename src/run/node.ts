/** What needs Node: executing compiled models natively and under QEMU, profiles, and inputs from files. */

export { openWorkers, type WorkersOptions } from '../workers/open.ts';
export type { Batch, Blobs, Json, Kind, Workers } from '../workers/workers.ts';
export { type Comparison, compareExecutors, type Difference } from './compare.ts';
export { type Candidate, type CandidateResult, runCandidate, runCandidates } from './engine/candidate.ts';
export { chooseHost, type HostName, openHost } from './engine/host.ts';
export { nativeFingerprint, nativeHost } from './engine/native-host.ts';
export {
  createExecutor,
  EXECUTOR_NAMES,
  type Executor,
  type ExecutorName,
  type ExecutorOptions,
  type Sample,
  type TraceEntry,
} from './executors.ts';
export { type InputOptions, readInputs } from './input.ts';
export { type ProfiledLayer, type ProfileReport, profile } from './profile-report.ts';
export { canRun, detectToolchains, type Tool, type Toolchains } from './toolchain.ts';
