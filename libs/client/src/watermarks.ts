/** How far the sources of a model have come, as typed calls of the gateway; and taking a promise back. */
import { ListWatermarksReply, SourceWatermark } from '@driftloop/contracts';
import type { Control } from './control.js';

/** The watermarks of a house, through the gateway that `control` talks to. Every call throws CallFailed, as Control's do. */
export class Watermarks {
  constructor(private readonly control: Control) {}

  /** Every declared source, and the labels ("outcomes"); those that have never promised anything too. */
  async list(model: string): Promise<SourceWatermark[]> {
    return ListWatermarksReply.fromJSON(await this.control.send('GET', pathOf(model))).sources;
  }

  /** Takes a source's promise back, to a time or altogether; again is the same as once. */
  async withdraw(model: string, source: string, to?: Date, note = ''): Promise<SourceWatermark> {
    return SourceWatermark.fromJSON(await this.control.send('POST', `${pathOf(model)}/withdraw`, { source, to, note }));
  }
}

const pathOf = (model: string): string => `/v1/models/${encodeURIComponent(model)}/watermarks`;
