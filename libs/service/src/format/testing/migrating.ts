// A process that the specs of formats kill: it migrates a home or a database by steps of its own, and dies where it is told
// to, as kill -9 does. `node migrating.ts home|documents WHERE NAME POINT TO`; POINT is in-step, before-number,
// after-number, or never. Where it does not die it prints what the migration has come to.
import { subscribe } from 'node:diagnostics_channel';
import { openMongod } from '@driftloop/documents';
import { WallClock } from '../../clock.js';
import { migrateHome } from '../../home.js';
import { openLog } from '../../log.js';
import { bringToFormat } from '../documents-format.js';
import type { By, DocumentsStored, HomeStored, Step } from '../steps.js';

const [what, where, name, point, to] = process.argv.slice(2);
const die = () => process.kill(process.pid, 'SIGKILL');
const dieIn = (step: number) => point === 'in-step' && step === Number(to) && die();
subscribe(`driftloop:format.${point}`, (step) => void (step === Number(to) && die()));

/** A transaction with its number: it is done once. */
const inHome = (to: number, when: By): Step<HomeStored> => ({
  ...{ to, when, name: `step ${to}` },
  run: ({ db }) => {
    db.exec(`UPDATE rows SET n = n * 10 + ${to} WHERE id < 5`);
    dieIn(to);
    db.exec(`UPDATE rows SET n = n * 10 + ${to} WHERE id >= 5`);
  },
});

/** No transaction: each write is on condition of the old format. */
const inDocuments = (to: number, when: By): Step<DocumentsStored> => ({
  ...{ to, when, name: `step ${to}` },
  run: async ({ connection }) => {
    const rows = connection.collection<{ _id: number; n: number; shape: number }>('rows');
    for (const { _id, n } of await rows.find({ shape: to - 1 }).toArray()) {
      if (_id === 5) dieIn(to);
      await rows.updateOne({ _id, shape: to - 1 }, { $set: { n: n * 10 + to, shape: to } });
    }
  },
});

const steps = <Where>(of: (to: number, when: By) => Step<Where>) => [of(1, 'start'), of(2, 'command'), of(3, 'start')];
if (what === 'home') console.log(JSON.stringify(await migrateHome(where, steps(inHome))));
else {
  const connection = await openMongod(where, name);
  const parts = { connection, service: 'spec', replica: 'spec', leaseMs: 1000, clock: new WallClock() };
  const log = openLog('spec', 'fatal');
  console.log(JSON.stringify(await bringToFormat({ ...parts, log }, 'command', steps(inDocuments))));
  await connection.close();
}
