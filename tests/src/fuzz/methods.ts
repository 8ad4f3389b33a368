/**
 * What there is to be fuzzed, from the system itself and from the contracts: every RPC of every service that a server lists by
 * reflection, every topic that outsiders write. A new one is fuzzed without a line here.
 */
import {
  create,
  createFileRegistry,
  type DescMessage,
  type DescMethod,
  type FileRegistry,
  fromBinary,
} from '@bufbuild/protobuf';
import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { events, fileDescriptors } from '@driftloop/contracts';
import { Connections } from './connections.js';
import type { Call } from './input.js';
import type { Door } from './system.js';
import { framed } from './wire.js';

export interface Method {
  /** Whose server. */
  readonly service: string;
  /** "/driftloop.v1.Registry/Apply" */
  readonly path: string;
  readonly desc: DescMethod;
  /** Changes nothing: it may name anybody's model. By its name, as the names of all are; one that says nothing else writes. */
  readonly reads: boolean;
}

const reading = /^(Get|List|Read|Describe|Explain|Server|Model|Check|Watch|Simulate|Build)/;
const reflection = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';

let registry: FileRegistry | undefined;

/** The contracts' messages and services by their full names. */
export function contracts(): FileRegistry {
  const file = () => fileDescriptors.map((one) => fromBinary(FileDescriptorProtoSchema, Buffer.from(one, 'base64')));
  registry ??= createFileRegistry(create(FileDescriptorSetSchema, { file: file() }));
  return registry;
}

/** Every method of every service at every server. Throws where a server does not say what it has. */
export async function methodsOf(doors: readonly Door[], authorization: string): Promise<Method[]> {
  const served = doors.filter(({ address }) => address);
  const lists = await Promise.all(served.map(async (door) => [door.name, await listed(door, authorization)] as const));
  return lists.flatMap(([service, names]) =>
    names.flatMap((name) => (contracts().getService(name)?.methods ?? []).map((desc) => methodOf(service, desc))),
  );
}

function methodOf(service: string, desc: DescMethod): Method {
  return { service, path: `/${desc.parent.typeName}/${desc.name}`, desc, reads: reading.test(desc.name) };
}

/** The services that a server lists. */
async function listed({ name, address }: Door, authorization: string): Promise<string[]> {
  const connections = new Connections({ [name]: address });
  // ServerReflectionRequest.list_services = 7
  const message = new BinaryWriter().tag(7, 2).string('').finish();
  const headers = { ':path': reflection, authorization };
  const call: Call = { door: 'grpc', service: name, headers, pieces: [framed(message)], end: 'ended' };
  const { body, status } = await connections.send(call).finally(() => connections.close());
  const names = servicesIn(body.subarray(5));
  if (!names.length) throw new Error(`${name} lists no services: ${status}`);
  return names;
}

/** ServerReflectionResponse.list_services_response = 6, of which service = 1, of which name = 1. */
function servicesIn(response: Uint8Array): string[] {
  return delimited(response, 6).flatMap((list) =>
    delimited(list, 1).flatMap((service) => delimited(service, 1).map(text)),
  );
}

function delimited(bytes: Uint8Array, wanted: number): Uint8Array[] {
  const reader = new BinaryReader(bytes);
  const found: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag();
    if (number === wanted && wire === 2) found.push(reader.bytes());
    else reader.skip(wire, number);
  }
  return found;
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

/** The message of an event is called as its topic is: `outcomes.reported` carries `OutcomesReported`. */
const messageName = (topic: string): string =>
  `driftloop.v1.${topic.replace(/(?:^|[.-])([a-z])/g, (_, letter: string) => letter.toUpperCase())}`;

/** Topics that outsiders write, with their payloads' messages. */
export const inboundTopics = (): { topic: string; message: DescMessage }[] =>
  Object.values(events)
    .filter(({ from }) => from === 'external')
    .map(({ topic }) => ({ topic, message: contracts().getMessage(messageName(topic))! }));
