/** The only wiring of the gateway. */
import type { ServiceDefinition } from '@driftloop/service';
import { Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { AuditDoor } from './audit.http.js';
import { ClockDocuments } from './clock.documents.js';
import { ClockDoor } from './clock.http.js';
import { Clock } from './clock.js';
import { ClockDoubt } from './clock-doubt.js';
import { ClockStates } from './clock-state.js';
import { EventStream } from './event-stream.js';
import { EventTail } from './event-tail.js';
import { EventsDoor } from './events.http.js';
import { KnownCaller } from './known-caller.js';
import { LiveClock } from './live-clock.js';
import { ModelsDoor } from './models.http.js';
import { OperationsDoor } from './operations.http.js';
import { SameSite } from './origin.js';
import { Problems } from './problems.js';
import { QuarantineDoor } from './quarantine.http.js';
import { ReadyDoor } from './ready.http.js';
import { SimulateDoor } from './simulate.http.js';
import { Upstreams } from './upstreams.js';
import { WatermarksDoor } from './watermarks.http.js';

@Module({
  controllers: [
    ...[ModelsDoor, EventsDoor, ClockDoor, ReadyDoor, SimulateDoor, OperationsDoor, QuarantineDoor, AuditDoor],
    WatermarksDoor,
  ],
  providers: [
    Upstreams,
    Clock,
    ClockDocuments,
    ClockStates,
    ClockDoubt,
    LiveClock,
    EventStream,
    EventTail,
    { provide: APP_FILTER, useClass: Problems },
    { provide: APP_GUARD, useClass: SameSite },
    { provide: APP_GUARD, useClass: KnownCaller },
  ],
})
export class GatewayModule {}

export const gateway: ServiceDefinition = { name: 'gateway', module: GatewayModule, http: { port: 3000 } };
