/**
 * The second and third stream under the default policy: a stretch of each, in which the loop renews its model and does
 * better than the one that is never renewed. Their data do not ship with the project.
 */
import { parseModelSpec } from '@driftloop/contracts';
import { score } from '@driftloop/embedded';
import { bikeSharing, elec2, findData } from '@driftloop/flights';
import { openPlayed, type Played } from './played.js';

const streams = [
  { stream: bikeSharing, until: '2011-05-25', gain: 0.05 },
  { stream: elec2, until: '1996-12-15', gain: 0.003 },
];

let played: Played | undefined;
afterEach(async () => {
  await played?.close();
  played = undefined;
});

for (const { stream, until, gain } of streams) {
  const { model, file } = stream;
  const absent = findData(file) ? '' : ` (skipped: ${file} is not there; name its folder in DRIFTLOOP_DATA)`;
  (absent ? it.skip : it)(
    `renews the model of ${model} and beats the frozen one, until ${until}${absent}`,
    async () => {
      const world = stream.openWorld();
      played = await openPlayed();
      const { frozenVersion } = await played.play(world, Date.parse(until));
      const cycles = await played.control.cycles(model);
      expect(cycles.filter(({ outcome, signal }) => outcome === 'promoted' && signal !== 'bootstrap')).not.toEqual([]);
      const { loop, frozen } = score(played.diary(), stream.truth(), frozenVersion);
      // Over so few weeks log loss tells; an AUC over answers of several versions together says little.
      expect(loop.logLoss).toBeLessThan(frozen.logLoss - gain);
    },
    900_000,
  );
  (absent ? it.skip : it)(`leaves the policy of ${model} to the defaults${absent}`, () => {
    const whole = parseModelSpec(stream.openWorld().spec);
    const { gate, rollout, retraining, quarantine, monitoring, training, ...rest } = whole.spec;
    const plain = parseModelSpec(JSON.stringify({ ...whole, spec: rest }));
    expect(whole).toEqual(plain);
  });
}
