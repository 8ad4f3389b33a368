/**
 * Local time without a formatter per row: a zone's offset changes a few times a year, so the changes of a year are
 * found once (a step a day, then a bisection) and kept. The offline join inlines the same changes as SQL.
 */
const day = 86_400_000;
const spanMs = 366 * day;

/** From `fromMs` on, local time is UTC plus `offsetMs`. */
export interface ZoneChange {
  readonly fromMs: number;
  readonly offsetMs: number;
}

export class ZoneClock {
  private readonly formatter: Intl.DateTimeFormat;
  private readonly spans = new Map<number, ZoneChange[]>();

  /** Throws RangeError for a zone that the platform does not know. */
  constructor(readonly zone: string) {
    this.formatter = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      ...{ year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' },
    });
  }

  /** Milliseconds that local time is ahead of UTC at an instant (epoch ms). */
  offsetAt(ms: number): number {
    const changes = this.spanOf(ms);
    let i = changes.length - 1;
    while (i > 0 && changes[i].fromMs > ms) i--;
    return changes[i].offsetMs;
  }

  /** The offset before or at `fromMs` and every change up to `toMs` (or a little later), in order: at least one. */
  changes(fromMs: number, toMs: number): ZoneChange[] {
    const found: ZoneChange[] = [];
    for (let span = Math.floor(fromMs / spanMs); span * spanMs <= toMs; span++) {
      for (const change of this.spanOf(span * spanMs)) {
        if (change.offsetMs !== found.at(-1)?.offsetMs) found.push(change);
      }
    }
    return found;
  }

  private spanOf(ms: number): ZoneChange[] {
    const span = Math.floor(ms / spanMs);
    let changes = this.spans.get(span);
    if (!changes) {
      changes = this.search(span * spanMs);
      this.spans.set(span, changes);
    }
    return changes;
  }

  private search(startMs: number): ZoneChange[] {
    const changes = [{ fromMs: startMs, offsetMs: this.formatted(startMs) }];
    for (let ms = startMs; ms < startMs + spanMs; ms += day) {
      const offsetMs = this.formatted(ms + day);
      if (offsetMs === changes.at(-1)?.offsetMs) continue;
      changes.push({ fromMs: this.bisect(ms, ms + day, offsetMs), offsetMs });
    }
    return changes;
  }

  /** The first second within (low, high] from which on the offset is `offsetMs`. */
  private bisect(low: number, high: number, offsetMs: number): number {
    let [before, after] = [low, high];
    while (after - before > 1000) {
      const middle = Math.floor((before + after) / 2000) * 1000;
      if (this.formatted(middle) === offsetMs) after = middle;
      else before = middle;
    }
    return after;
  }

  private formatted(ms: number): number {
    const part: Record<string, number> = {};
    for (const { type, value } of this.formatter.formatToParts(ms)) part[type] = Number(value);
    const local = Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second);
    return local - Math.floor(ms / 1000) * 1000;
  }
}
