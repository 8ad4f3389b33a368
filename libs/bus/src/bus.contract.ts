/** The bus's contract in code: every implementation's spec runs it. */
import { describeDelivery } from './testing/delivery.js';
import { describeFailures } from './testing/failures.js';
import { describeOrder } from './testing/order.js';
import { type BusContract, type Fact, Scene } from './testing/scene.js';
import { describeSettled } from './testing/settled.js';

export type { BusContract, BusGround } from './testing/scene.js';

/** Describes the contract; `open` makes a fresh bus for each fact, or one that facts share: their names are unique. */
export function describeBus(name: string, { open, skip }: BusContract): void {
  const fact: Fact = (title, run) => {
    const test = skip.includes(title) ? it.skip : it;
    test(title, async () => {
      const scene = new Scene(await open());
      try {
        await run(scene);
      } finally {
        await scene.ground.close();
      }
    }, 60_000);
  };
  describe(`${name}: the log and its order`, () => describeOrder(fact));
  describe(`${name}: groups`, () => describeDelivery(fact));
  describe(`${name}: failures`, () => describeFailures(fact));
  describe(`${name}: settled`, () => describeSettled(fact));
}
