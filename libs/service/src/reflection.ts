/** Server reflection (grpcurl, Postman): the file descriptors come from the generated contracts. */
import { fileDescriptors } from '@driftloop/contracts';
import type { Server } from '@grpc/grpc-js';
import type { PackageDefinition } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';

const healthName = 'grpc.health.v1.Health';

/** Adds both versions of the reflection service, which list the named services and health. */
export function addReflection(server: Pick<Server, 'addService'>, services: readonly string[]): void {
  // The library reads nothing of a definition but its files.
  const ours = { fileDescriptorProtos: fileDescriptors.map((file) => Buffer.from(file, 'base64')) };
  new ReflectionService({ ours } as unknown as PackageDefinition, { services: [...services, healthName] }).addToServer(
    server,
  );
}
