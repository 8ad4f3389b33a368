/** How a transport of ours becomes a part of a Nest application. */
import type { INestApplication, RpcExceptionFilter } from '@nestjs/common';
import type { CustomTransportStrategy, NestMicroservice } from '@nestjs/microservices';

/** Connects a transport whose handlers are registered at `listen`, after the filter is known; the app runs the hooks. */
export function connect(
  app: INestApplication,
  strategy: CustomTransportStrategy,
  filter: RpcExceptionFilter,
): NestMicroservice {
  const microservice = app.connectMicroservice({ strategy }, { deferInitialization: true }) as NestMicroservice;
  microservice.useGlobalFilters(filter);
  microservice.setIsInitHookCalled(true);
  return microservice;
}
