/**
 * The kinds of work that Rivulet sends to workers, by name. Threads and workers on other machines find them here; nothing
 * else imports this file, and it alone may import what lies above it, when it is asked for.
 */
import type { Registry } from './registry.ts';

const KINDS: Registry = {
  candidate: async () => (await import('../run/engine/candidate.ts')).CANDIDATE,
  'search-cost': async () => (await import('../search/cost-kind.ts')).COST_KIND,
  'search-judge': async () => (await import('../search/judge-kind.ts')).JUDGE_KIND,
  samples: async () => (await import('../nas/samples-kind.ts')).SAMPLES,
  trial: async () => (await import('../rehearse/trial.ts')).TRIAL,
};

export default KINDS;
