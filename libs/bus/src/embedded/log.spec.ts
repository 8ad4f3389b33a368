import { Lane, LoggedEvent } from './log.js';

describe('the tail of a lane', () => {
  const event = (offset: number, bytes = 10) => {
    const json = JSON.stringify('x'.repeat(bytes));
    return new LoggedEvent({ id: `e${offset}`, topic: 't', key: 'k', time: 0, source: 's' }, 0, offset, json);
  };
  const reader = (position: number) => ({ position, wake: () => {} });

  it('holds what some reader has still to hear, and nothing else', () => {
    const lane = new Lane(1, 't', 0);
    const [slow, quick] = [reader(0), reader(0)];
    lane.readers.add(slow).add(quick);
    for (let offset = 0; offset < 10; offset++) lane.accept(event(offset));
    quick.position = 10;
    slow.position = 4;
    lane.trim();
    expect([lane.inTail(3), lane.inTail(4)?.offset, lane.inTail(9)?.offset]).toEqual([undefined, 4, 9]);
    lane.readers.delete(slow);
    lane.trim();
    expect(lane.inTail(9)).toBeUndefined();
  });

  it('holds nothing where nobody reads', () => {
    const lane = new Lane(1, 't', 0);
    lane.accept(event(0));
    lane.readers.add(reader(1));
    lane.accept(event(1));
    expect([lane.next, lane.inTail(0), lane.inTail(1)?.offset]).toEqual([2, undefined, 1]);
  });

  it('forgets its oldest above 4 MiB', () => {
    const lane = new Lane(1, 't', 0);
    lane.readers.add(reader(0));
    for (let offset = 0; offset < 6; offset++) lane.accept(event(offset, 1024 * 1024));
    expect([2, 3, 5].map((offset) => lane.inTail(offset)?.offset)).toEqual([undefined, 3, 5]);
  });
});
