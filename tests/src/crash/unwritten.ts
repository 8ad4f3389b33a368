/**
 * What a death has left: whether something was said that is not written. A run that goes on does the same work again with
 * the same ids, so that an event published before its document was committed would be covered up by the end; nobody would do
 * it again after a command, or where the facts have changed meanwhile. So every death is looked at before the next life.
 *
 * I1  It looks at a copy of the home's file: the next life finds what the death has left.
 * I2  Of each topic: the document that its event is written with shows what it says. Left out are events of the same write
 *     as another one here (model.promoted, model.rolled-back), those of no document (time.passed, predictions.made), and
 *     features.ingested, which sums up several batches.
 */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

// biome-ignore lint/suspicious/noExplicitAny: payloads and documents as they lie in the file
type Json = any;

interface Written {
  readonly collection: string;
  readonly id: (said: Json) => string;
  /** Whether the document shows what was said. */
  readonly shows: (document: Json, said: Json) => boolean;
}

const ofModel = ({ tenant, model }: Json): string => `${tenant}/${model}`;
const signal: Written = { collection: 'monitoring.signals', id: ({ decision }) => decision.id, shows: () => true };
const job: Written = {
  ...{ collection: 'training.jobs', id: ({ jobId }) => jobId },
  shows: ({ state }) => state === 'reported' || state === 'failed',
};
const gate: Written = {
  ...{ collection: 'registry.versions', id: (said) => `${ofModel(said)}/${said.version}` },
  shows: ({ gate }, { decision }) => gate?.id === decision.id,
};
const step: Written = {
  ...{ collection: 'monitoring.cycles', id: ({ cycleId }) => cycleId },
  shows: ({ steps }, said) => steps.some(({ decision }: Json) => decision?.id === said.decision.id),
};

/** Topic → the document that its event is written with. */
const written: Record<string, Written> = {
  'model.declared': {
    ...{ collection: 'registry.models', id: ofModel },
    shows: (model, { revision }) => model.revision >= Number(revision),
  },
  'labels.added': {
    ...{ collection: 'labeling.journals', id: ({ tenant, label }) => `${tenant}/${label}` },
    shows: ({ newest }, { labels = [], watermark }) =>
      [...labels.map(({ knownAt }: Json) => knownAt), ...(watermark ? [watermark] : [])].every(
        (time) => Date.parse(time) <= newest,
      ),
  },
  'retraining.requested': step,
  'rollout.judged': step,
  'cycle.closed': step,
  'model.trained': job,
  'training.failed': job,
  'model.approved': gate,
  'model.refused': gate,
  'rollout.changed': {
    ...{ collection: 'registry.rollouts', id: ofModel },
    shows: (document, { rollout }) => document.revision >= Number(rollout.revision),
  },
  'rollout.followed': {
    ...{ collection: 'serving.served_models', id: (said) => `${ofModel(said)}@${said.replica}` },
    shows: ({ rollouts = [] }, { revision }) => Number(rollouts[0]?.revision) >= Number(revision),
  },
  'drift.detected': signal,
  'performance.degraded': signal,
  'quarantine.changed': signal,
  'loop.held': signal,
  'silence.changed': signal,
};

/** The first event in the log of a home (whose process is dead) that no document shows; undefined where each has its own. */
export function firstUnwritten(home: string): string | undefined {
  const copy = mkdtempSync(`${home}-copy-`);
  try {
    for (const name of ['driftloop.sqlite', 'driftloop.sqlite-wal'])
      if (existsSync(join(home, name))) copyFileSync(join(home, name), join(copy, name)); // I1
    return lookedUp(join(copy, 'driftloop.sqlite'));
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function lookedUp(file: string): string | undefined {
  if (!existsSync(file)) return undefined;
  const db = new DatabaseSync(file);
  try {
    const has = (name: string) => db.prepare('SELECT 1 FROM sqlite_schema WHERE name = ?').get(name) !== undefined;
    if (!has('bus_events')) return undefined;
    const documentOf = (collection: string, id: string): Json => {
      if (!has(`doc_${collection}`)) return undefined;
      const row = db.prepare(`SELECT body FROM "doc_${collection}" WHERE json_extract(body, '$._id') = ?`).get(id);
      return row && JSON.parse(String(row.body));
    };
    for (const { topic, id, data } of db.prepare('SELECT topic, id, data FROM bus_events ORDER BY time').all()) {
      const record = written[String(topic)];
      const said = record && JSON.parse(String(data));
      const document = record && documentOf(record.collection, record.id(said));
      if (record && !(document && record.shows(document, said)))
        return `${topic} ${id} was said, and ${record.collection} ${record.id(said)} does not show it`;
    }
    return undefined;
  } finally {
    db.close();
  }
}
