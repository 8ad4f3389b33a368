/** Hears the logged predictions of a model, as a product team would: what every version would have said. */
import { subscribe } from '@driftloop/client';
import type { ShadowLine } from './diary.js';

interface PredictionsMade {
  model: string;
  predictions: {
    id: string;
    version: string;
    probability: number;
    shadows: { version: string; probability: number }[];
  }[];
}

export class Hearing {
  private readonly ending = new AbortController();
  private readonly heard = new Map<string, ShadowLine>();
  private broken: Error | undefined;

  /** `position`: where the stream stands after what has been heard, from which a later run goes on. */
  constructor(
    private readonly url: string,
    private readonly headers: Record<string, string>,
    private readonly model: string,
    public position: string,
  ) {
    this.listen().catch((error: Error) => {
      this.broken = error;
    });
  }

  /** How many predictions are waiting to be taken that are not among those known: what is heard again is no other one. */
  waitingBeside(known: ReadonlyMap<string, unknown>): number {
    return [...this.heard.keys()].filter((id) => !known.has(id)).length;
  }

  /** What has been heard since the last time. Throws CallFailed when the stream was refused. */
  take(): ShadowLine[] {
    if (this.broken) throw this.broken;
    const lines = [...this.heard.values()];
    this.heard.clear();
    return lines;
  }

  close(): void {
    this.ending.abort();
  }

  private async listen(): Promise<void> {
    const { url, headers, position: after } = this;
    const options = { topics: ['predictions.made'], after, signal: this.ending.signal };
    for await (const { data, position } of subscribe(url, headers, options)) {
      const { model, predictions } = data as PredictionsMade;
      if (model === this.model) for (const prediction of predictions) this.heard.set(prediction.id, lineOf(prediction));
      this.position = position;
    }
  }
}

function lineOf({ id, version, probability, shadows }: PredictionsMade['predictions'][number]): ShadowLine {
  const others = shadows.map((shadow) => [shadow.version, shadow.probability]);
  return { id, scores: Object.fromEntries([[version, probability], ...others]) };
}
