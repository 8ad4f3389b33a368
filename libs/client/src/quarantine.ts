/** What is set aside, as typed calls of the gateway: listed, found, let in, confirmed as bad. */
import { ListQuarantineReply, QuarantineItem } from '@driftloop/contracts';
import type { Control } from './control.js';
import { CallFailed } from './failure.js';

/** What of the quarantine is wanted. */
export interface QuarantineQuery {
  readonly state?: 'held' | 'released' | 'upheld';
  /** At most 1,000; 100 where it is left out. */
  readonly limit?: number;
}

/** What a house has set aside, through the gateway that `control` talks to. Every call throws CallFailed, as Control's do. */
export class Quarantine {
  constructor(private readonly control: Control) {}

  /** Newest first, with the number of all. */
  async list(model: string, { state, limit = 0 }: QuarantineQuery = {}): Promise<ListQuarantineReply> {
    const query = new URLSearchParams({ ...(state && { state }), limit: String(limit) });
    return ListQuarantineReply.fromJSON(await this.control.send('GET', `${pathOf(model)}?${query}`));
  }

  /** The one item, among the newest 1,000, whose id begins or ends so. Throws UNKNOWN_ITEM, ITEM_AMBIGUOUS. */
  async find(model: string, part: string): Promise<QuarantineItem> {
    const { items } = await this.list(model, { limit: 1000 });
    const exact = items.find(({ id }) => id === part);
    const found = exact ? [exact] : items.filter(({ id }) => id.startsWith(part) || id.split('/')[1].startsWith(part));
    if (found.length === 1) return found[0];
    if (found.length)
      throw new CallFailed('ITEM_AMBIGUOUS', `several items begin with "${part}"; write more of it`, false);
    throw new CallFailed(
      'UNKNOWN_ITEM',
      `nothing in quarantine begins with "${part}"; list it with \`quarantine\``,
      false,
    );
  }

  /** Lets an item in: single rows at once, as known from now on; days from the next tick on. `id` is the whole id. */
  release(model: string, id: string, note = ''): Promise<QuarantineItem> {
    return this.resolve(model, id, 'released', note);
  }

  /** Confirms that an item is bad: it stays out. */
  uphold(model: string, id: string, note = ''): Promise<QuarantineItem> {
    return this.resolve(model, id, 'upheld', note);
  }

  private async resolve(model: string, id: string, state: 'released' | 'upheld', note: string) {
    return QuarantineItem.fromJSON(await this.control.send('POST', `${pathOf(model)}/resolve`, { id, state, note }));
  }
}

const pathOf = (model: string): string => `/v1/models/${encodeURIComponent(model)}/quarantine`;
