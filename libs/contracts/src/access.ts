/**
 * Who may call what: the role that each method needs, and which methods are acts, that is change what the loop does and are
 * audited. The compiler asks for every method of a service.
 *
 * Reading takes a reader, and so does asking a model: what it answers is what a reader sees. What happened (outcomes, rows) is
 * told by an annotator, people and programs alike. A worker trains elsewhere: it builds training sets. An operator does
 * everything to a loop that runs; to declare one takes an admin.
 */
import { AdminService } from './gen/driftloop/v1/admin.js';
import { FeatureStoreService } from './gen/driftloop/v1/feature_store.js';
import { LabelingService } from './gen/driftloop/v1/labeling.js';
import { MonitoringService } from './gen/driftloop/v1/monitoring.js';
import { RegistryService } from './gen/driftloop/v1/registry.js';
import { TrainingService } from './gen/driftloop/v1/training.js';
import { GRPCInferenceServiceService } from './gen/inference/grpc_service.js';
import { own } from './own.js';
import type { Role } from './roles.js';

/** What people call an act, and the field of its request, or else of its reply, that says what it is about. */
export interface Act {
  readonly name: (request: Readonly<Record<string, unknown>>) => string;
  readonly about: 'model' | 'group' | 'id';
}

export interface Access {
  readonly role: Role;
  readonly act?: Act;
}

type Methods = Readonly<Record<string, { readonly path: string }>>;

const read: Access = { role: 'reader' };
const tell: Access = { role: 'annotator' };
const act = (role: Role, about: Act['about'], name: string | Act['name']): Access => ({
  role,
  act: { about, name: typeof name === 'string' ? () => name : name },
});
const operate = (about: Act['about'], name: string | Act['name']) => act('operator', about, name);
const resolve = operate('id', ({ state }) =>
  state === 'released' ? 'release' : state === 'upheld' ? 'uphold' : 'resolve',
);
const withdraw = operate('model', 'withdraw watermark');

const access = new Map<string, Access>([
  ...methods(AdminService, {
    describe: read,
    listDeadLetters: read,
    readAudit: { role: 'operator' },
    replayDeadLetters: operate('group', 'replay'),
    discardDeadLetters: operate('group', 'discard'),
  }),
  ...methods(RegistryService, {
    apply: act('admin', 'model', 'apply'),
    getModel: read,
    listModels: read,
    listVersions: read,
    getVersion: read,
    getRollout: read,
    promote: operate('model', 'promote'),
    rollBack: operate('model', 'rollback'),
    freeze: operate('model', ({ held }) => (held ? 'freeze' : 'thaw')),
  }),
  ...methods(MonitoringService, {
    getStatus: read,
    listCycles: read,
    getCycle: read,
    readLedger: read,
    listQuarantine: read,
    resolveQuarantine: resolve,
    pause: operate('model', ({ paused }) => (paused ? 'pause' : 'resume')),
    explainCycle: read,
    getDrift: read,
  }),
  ...methods(LabelingService, {
    recordOutcomes: tell,
    streamOutcomes: tell,
    getOutcome: read,
    listQuarantine: read,
    resolveQuarantine: resolve,
    withdrawWatermark: withdraw,
  }),
  ...methods(FeatureStoreService, {
    ingest: tell,
    ingestFile: tell,
    readOnline: read,
    buildTrainingSet: { role: 'worker' },
    listQuarantine: read,
    resolveQuarantine: resolve,
    listWatermarks: read,
    withdrawWatermark: withdraw,
  }),
  ...methods(TrainingService, {
    getJob: read,
    listJobs: read,
    // It changes nothing, and takes the trainers' cores for hours.
    simulate: { role: 'operator' },
  }),
  ...methods(GRPCInferenceServiceService, {
    serverLive: read,
    serverReady: read,
    modelReady: read,
    serverMetadata: read,
    modelMetadata: read,
    modelInfer: read,
  }),
]);

/** What a method needs, by its path, `/driftloop.v1.Registry/Promote`. One that nobody has thought of is an admin's. */
export const accessOf = (path: string): Access => access.get(path) ?? { role: 'admin' };

/** The paths that have an entry. */
export const knownPaths = (): string[] => [...access.keys()];

function methods<S extends Methods>(service: S, needs: { readonly [M in keyof S]: Access }): [string, Access][] {
  return Object.entries(service).map(([name, { path }]) => [path, own(needs, name)!]);
}
