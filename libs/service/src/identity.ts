/** What a running service is: its name, its replica's, its version, and the groups that it hears events in. */
import { createRequire } from 'node:module';

const { version } = createRequire(import.meta.url)('@driftloop/service/package.json') as { version: string };

/** Injectable. */
export class Identity {
  readonly version = version;
  /** The groups and their topics, once the service listens. */
  groups: () => ReadonlyMap<string, readonly string[]> = () => new Map();

  constructor(
    readonly service: string,
    readonly replica: string,
  ) {}
}
