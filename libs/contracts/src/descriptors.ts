/** The contracts' own description at run time: every message of proto/, looked up by its full name. */
import { create, createFileRegistry, type DescMessage, type FileRegistry, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { fileDescriptors } from './gen/descriptors.js';

let own: FileRegistry | undefined;

/** Parsed at the first use: most processes never ask. */
export function contractFiles(): FileRegistry {
  const files = () => fileDescriptors.map((file) => fromBinary(FileDescriptorProtoSchema, Buffer.from(file, 'base64')));
  own ??= createFileRegistry(create(FileDescriptorSetSchema, { file: files() }));
  return own;
}

/** The messages of a compiled image (`buf build`), such as those in proto/releases. */
export function registryOf(image: Uint8Array): FileRegistry {
  return createFileRegistry(fromBinary(FileDescriptorSetSchema, image));
}

/** A message by its full name, e.g. "driftloop.v1.ModelPromoted". Throws where there is none. */
export function messageOf(name: string, messages: FileRegistry = contractFiles()): DescMessage {
  const found = messages.getMessage(name);
  if (!found) throw new Error(`the contracts have no message ${name}`);
  return found;
}

/** Every method of every service, `path` as gRPC has it: "/driftloop.v1.Registry/Promote". */
export function everyMethod(): { service: string; path: string }[] {
  const services = [...contractFiles()].filter((found) => found.kind === 'service');
  return services.flatMap(({ typeName, methods }) =>
    methods.map(({ name }) => ({ service: typeName, path: `/${typeName}/${name}` })),
  );
}
