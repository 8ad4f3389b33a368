/** What a service is, and how one is started. */
import type { ServiceName } from '@driftloop/contracts';
import type { ServiceDefinition as GrpcService } from '@grpc/grpc-js';
import type { Type } from '@nestjs/common';
import type { DoorLimits } from './admission/limits.js';
import type { WallClock } from './clock.js';
import type { Statfs } from './disk-space.js';
import type { Telemetry } from './telemetry/telemetry.js';

/** What a service is. */
export interface ServiceDefinition {
  readonly name: ServiceName | 'gateway';
  readonly module: Type<unknown>;
  /** The gRPC door: services by full name, e.g. `{ 'driftloop.v1.Registry': RegistryService }`, and the usual port. */
  readonly grpc?: { readonly packages: Readonly<Record<string, GrpcService>>; readonly port: number };
  /** An HTTP door for the module's HTTP controllers (@nestjs/platform-express is then the service's dependency). */
  readonly http?: { readonly port: number };
  /** One replica at a time runs it; the others wait for the lead (docs/decisions/0017). */
  readonly leads?: true;
}

export interface StartOptions {
  /** The gRPC port in place of the settings'; 0 is any free one. */
  readonly port?: number;
  readonly httpPort?: number;
  /** What is asked how much room a disk has. */
  readonly statfs?: Statfs;
  /** The port of the health door, which is open only where there is one. */
  readonly healthPort?: number;
  /** Receives the log's lines in place of standard error. */
  readonly logLines?: { write(line: string): void };
  readonly telemetry?: Telemetry;
  /** The wall's by default. */
  readonly clock?: WallClock;
  /** Ends the wait for the lead: `startService` throws STOPPED then. */
  readonly signal?: AbortSignal;
  /** Called when the lead is lost, in place of closing the service: for a process that had better end at once. */
  readonly onLost?: (reason: string) => void;
  /** What the gRPC door lets in, for specs. */
  readonly limits?: Partial<DoorLimits>;
}
