/**
 * Facts sorted by when they became known, with running sums: the sum over any window ending at any moment, also a
 * past one, is two binary searches.
 *
 * I1  times[0…size) never falls; sums of lane l after the first i facts are sums[l][i], sums[l][0] is what was trimmed. A lane
 *     to which no fact has added anything has no sums yet: nearly every digit of most measures.
 * I2  Facts are anonymous: one fact may be taken back by naming its time and lanes.
 * I3  A superseded fact stays in the sums and has a retraction: from `at` on it no longer counts in windows that
 *     reach back to it.
 */
export interface Fact {
  readonly time: number;
  readonly lanes: Float64Array;
}

export interface Retraction extends Fact {
  /** When the newer revision became known. */
  readonly at: number;
}

export class Series {
  size = 0;
  private times = new Float64Array(8);
  private sums: (Float64Array | undefined)[];
  private retractions: Retraction[] = [];

  constructor(readonly laneCount: number) {
    this.sums = new Array(laneCount).fill(undefined);
  }

  /** Lanes that hold anything; for specs. */
  get lanesUsed(): number {
    return this.sums.filter((sums) => sums).length;
  }

  /** How many facts were known at or before t. */
  countAt(t: number): number {
    const { times } = this;
    let low = 0;
    let high = this.size;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (times[middle] <= t) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Sum of a lane over the facts of (from, t]; `low` and `high` are the counts at both. */
  sum(lane: number, low: number, high: number, from: number, t: number): number {
    const sums = this.sums[lane];
    if (!sums) return 0;
    const all = sums[high] - sums[low];
    return this.retractions.length ? all - this.retracted(lane, from, t) : all;
  }

  /** Adds facts, in any order. Facts at the end cost their number; others also the tail that they push. */
  add(facts: Fact[]): void {
    facts.sort((a, b) => a.time - b.time);
    this.reserve(this.size + facts.length);
    const start = this.countAt(facts[0].time);
    if (start === this.size) for (const fact of facts) this.append(fact.time, fact.lanes);
    else this.merge(start, facts);
  }

  /** Takes one equal fact back; false when there is none. */
  remove({ time, lanes }: Fact): boolean {
    for (let i = this.countAt(time) - 1; i >= 0 && this.times[i] === time; i--) {
      if (!this.equals(i, lanes)) continue;
      this.times.copyWithin(i, i + 1, this.size);
      for (let l = 0; l < this.laneCount; l++) {
        const sums = this.sums[l];
        if (!sums) continue;
        for (let j = i + 1; j < this.size; j++) sums[j] = sums[j + 1] - lanes[l];
      }
      this.size--;
      return true;
    }
    return false;
  }

  retract(retraction: Retraction): void {
    this.retractions.push(retraction);
    this.retractions.sort((a, b) => a.at - b.at);
  }

  /** Undoes `retract` of an equal retraction. */
  restore({ time, at, lanes }: Retraction): void {
    const same = (r: Retraction) => r.time === time && r.at === at && r.lanes.every((lane, l) => lane === lanes[l]);
    const i = this.retractions.findIndex(same);
    if (i >= 0) this.retractions.splice(i, 1);
  }

  /** Forgets the facts known before `horizon`; their sums stay in the base, so that windows after it are unchanged. */
  trim(horizon: number): void {
    this.retractions = this.retractions.filter((retraction) => retraction.time >= horizon);
    const drop = this.countBefore(horizon);
    if (!drop) return;
    this.size -= drop;
    this.times = this.times.slice(drop, drop + this.size + 8);
    this.sums = this.sums.map((sums) => sums?.slice(drop, drop + this.times.length + 1));
    this.reserve(this.size);
  }

  private countBefore(t: number): number {
    let count = this.countAt(t);
    while (count > 0 && this.times[count - 1] === t) count--;
    return count;
  }

  private retracted(lane: number, from: number, t: number): number {
    let sum = 0;
    for (const retraction of this.retractions) {
      if (retraction.at > t) break;
      if (retraction.time > from) sum += retraction.lanes[lane];
    }
    return sum;
  }

  private append(time: number, lanes: Float64Array): void {
    const i = this.size++;
    this.times[i] = time;
    for (let l = 0; l < this.laneCount; l++) {
      const sums = this.sums[l] ?? this.begun(l, lanes[l]);
      if (sums) sums[i + 1] = sums[i] + lanes[l];
    }
  }

  /** The sums of a lane that a fact is the first to add to. */
  private begun(lane: number, added: number): Float64Array | undefined {
    if (added) this.sums[lane] = new Float64Array(this.times.length + 1);
    return this.sums[lane];
  }

  private merge(start: number, facts: Fact[]): void {
    const tail = this.factsFrom(start);
    this.size = start;
    let i = 0;
    for (const fact of facts) {
      for (; i < tail.length && tail[i].time <= fact.time; i++) this.append(tail[i].time, tail[i].lanes);
      this.append(fact.time, fact.lanes);
    }
    for (; i < tail.length; i++) this.append(tail[i].time, tail[i].lanes);
  }

  private factsFrom(start: number): Fact[] {
    return Array.from({ length: this.size - start }, (_, k) => ({
      time: this.times[start + k],
      lanes: Float64Array.from(this.sums, (sums) => differenceAt(sums, start + k)),
    }));
  }

  private equals(i: number, lanes: Float64Array): boolean {
    return lanes.every((lane, l) => differenceAt(this.sums[l], i) === lane);
  }

  private reserve(size: number): void {
    if (size <= this.times.length) return;
    const capacity = Math.max(size, this.times.length * 2);
    const grown = (array: Float64Array, length: number) => {
      const copy = new Float64Array(length);
      copy.set(array.subarray(0, Math.min(array.length, length)));
      return copy;
    };
    this.times = grown(this.times, capacity) as Float64Array<ArrayBuffer>;
    this.sums = this.sums.map((sums) => sums && grown(sums, capacity + 1));
  }
}

/** What the i-th fact added. */
const differenceAt = (sums: Float64Array | undefined, i: number): number => (sums ? sums[i + 1] - sums[i] : 0);
