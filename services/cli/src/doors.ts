/** Where a command goes: the gateway, the inference door; and which model it is about. */
import { readFileSync } from 'node:fs';
import { CallFailed, Control, Operations, Predictor, Quarantine, Reporter, trust, Watermarks } from '@driftloop/client';
import type { Command } from 'commander';

/** The house's token: DRIFTLOOP_TOKEN, or the content of the file that DRIFTLOOP_TOKEN_FILE names. Throws USAGE. */
export function tokenOf({ DRIFTLOOP_TOKEN: token, DRIFTLOOP_TOKEN_FILE: file }: NodeJS.ProcessEnv): string | undefined {
  if (token || !file) return token || undefined;
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw misused(`DRIFTLOOP_TOKEN_FILE cannot be read: ${(error as Error).message}`);
  }
}

export class Doors {
  readonly control: Control;
  readonly operations: Operations;
  readonly quarantine: Quarantine;
  readonly watermarks: Watermarks;
  readonly url: string;

  constructor(
    private readonly options: { url: string; serving: string; featureStore: string; ca?: string },
    private readonly token: string | undefined,
  ) {
    if (options.ca) trust(options.ca);
    this.url = options.url.replace(/\/{1,8}$/, '');
    this.control = new Control(this.url, token);
    this.operations = new Operations(this.control);
    this.quarantine = new Quarantine(this.control);
    this.watermarks = new Watermarks(this.control);
  }

  predictor(): Predictor {
    return new Predictor(this.encrypted(this.options.serving), this.token);
  }

  reporter(): Reporter {
    return new Reporter({ featureStore: this.encrypted(this.options.featureStore) }, this.token);
  }

  /** A house has TLS at every door, or at none. */
  private encrypted(address: string): string {
    return `${this.url.startsWith('https:') && !address.includes('://') ? 'grpcs://' : ''}${address}`;
  }

  /** The model that is named, or else the only one that is declared. Throws NO_MODEL, or USAGE where there are several. */
  async model(named: string | undefined): Promise<string> {
    if (named) return named;
    const models = (await this.control.models()).map(({ model }) => model);
    if (models.length === 1) return models[0];
    if (models.length) throw misused(`several models are declared, name one with --model: ${models.join(', ')}`);
    throw new CallFailed('NO_MODEL', 'no model is declared; declare one with `driftloop apply -f model.yaml`', false);
  }
}

export type Open = () => Doors;

/** The option that says which model. */
export const withModel = (command: Command): Command =>
  command.option('-m, --model <name>', 'the model (default: the one that is declared)');

/** The command was called wrongly. */
export const misused = (message: string): CallFailed => new CallFailed('USAGE', message, false);
