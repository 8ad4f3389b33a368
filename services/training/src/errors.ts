/** Why a training ends without a candidate, and what may be wrong with a question about one. */
import { catalogue } from '@driftloop/contracts';

export const errors = catalogue('training', {
  INSUFFICIENT_DATA: {
    status: 'FAILED_PRECONDITION',
    retriable: false,
    message: (f: { found: string; needed: string }) => `too little data: ${f.found}; needed: ${f.needed}`,
  },
  ONE_CLASS: {
    status: 'FAILED_PRECONDITION',
    retriable: false,
    message: (f: { rows: number; part: string; label: number }) =>
      `all ${f.rows} labels of the ${f.part} rows are ${f.label}; wait for examples of both classes`,
  },
  DATASET_INVALID: {
    status: 'FAILED_PRECONDITION',
    retriable: false,
    message: (f: { uri: string; found: string }) => `the training set ${f.uri} cannot be trained on: ${f.found}`,
    remedy: 'look at how the set was made; the next cycle builds it again',
  },
  GRAPH_MISMATCH: {
    status: 'INTERNAL',
    retriable: false,
    message: (f: { graph: string; difference: number; limit: number }) =>
      `the ${f.graph} graph differs from its trainer by ${f.difference}, above ${f.limit}; it is not released`,
    cause: 'the exporter is at fault: the graph is not what was trained',
    remedy: 'report it; nothing was released',
  },
  CHAMPION_UNUSABLE: {
    status: 'FAILED_PRECONDITION',
    retriable: false,
    message: (f: { model: string; version: string; found: string }) =>
      `the champion ${f.model}/${f.version} cannot be compared with: ${f.found}`,
    remedy: "roll back, or restore the champion's bytes",
  },
  WORKER_CRASHED: {
    status: 'INTERNAL',
    retriable: true,
    message: (f: { reason: string }) => `the training thread ended without a result: ${f.reason}`,
    remedy: 'it is tried again; give the process more memory where it goes on',
  },
  ATTEMPTS_EXHAUSTED: {
    status: 'INTERNAL',
    retriable: false,
    message: (f: { attempts: number; last: string }) => `given up after ${f.attempts} attempts: ${f.last}`,
    remedy: 'look at the last failure; the next cycle tries again',
  },
  DEADLINE_PASSED: {
    status: 'DEADLINE_EXCEEDED',
    retriable: false,
    message: (f: { deadline: string }) => `not finished by its deadline, ${f.deadline}`,
    remedy: 'give trainings more time (retraining.deadlines.training), or fewer rows and trials',
  },
  INTERNAL_FAULT: {
    status: 'INTERNAL',
    retriable: false,
    message: (f: { where: string }) => `an unexpected error in ${f.where}; the log has it`,
    cause: 'the program is at fault',
    remedy: 'look into the log, and report what is there',
  },
  REQUEST_INVALID: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (f: { model: string; missing: string }) => `a training of "${f.model}" was requested without ${f.missing}`,
    remedy: 'report it: the program is at fault',
  },
  STOPPING: {
    status: 'UNAVAILABLE',
    retriable: true,
    message: (_: object) => 'training is stopping; the tick is heard again at the next start',
  },
  SPEC_NOT_HEARD: {
    status: 'UNAVAILABLE',
    retriable: true,
    message: (f: { model: string }) => `the declaration of model "${f.model}" has not been heard yet`,
    remedy: 'try again in a moment',
  },
  SIMULATION_BUSY: {
    status: 'RESOURCE_EXHAUSTED',
    retriable: true,
    message: (_: object) => 'a simulation is running already; wait for its report, or end it, and ask again',
  },
  JITTERS_INVALID: {
    status: 'INVALID_ARGUMENT',
    retriable: false,
    message: (f: { jitters: number; least: number; most: number }) =>
      `${f.jitters} jittered starts; ask for ${f.least} to ${f.most}`,
  },
  SPEC_UNKNOWN: {
    status: 'FAILED_PRECONDITION',
    retriable: false,
    message: (f: { model: string }) =>
      `no model "${f.model}" is declared, so that nothing of it is recorded; apply its spec and record some history first`,
  },
  HISTORY_TOO_SHORT: {
    status: 'FAILED_PRECONDITION',
    retriable: false,
    message: (f: { rows: number; days: number; needed: string }) =>
      `too little history to simulate: ${f.rows} labelled rows on ${f.days} days; needed: ${f.needed}`,
  },
  UNKNOWN_MODEL: {
    status: 'NOT_FOUND',
    retriable: false,
    message: (f: { model: string }) =>
      `no model "${f.model}" has been declared here; apply its spec, or check its name`,
  },
  UNKNOWN_JOB: {
    status: 'NOT_FOUND',
    retriable: false,
    message: (f: { jobId: string }) => `no training job "${f.jobId}"; ListJobs names those there are`,
  },
});

/** A failure as it crosses a thread or lies in a document. */
export interface Failure {
  code: string;
  reason: string;
}
