/**
 * Whether JSON from outside is what a message says, by proto3 JSON's own rules: types, times, whole numbers. The generated
 * readers take what they can get (a list that is no list is an empty one), which is right between our own services.
 */
import { fromJson, type JsonValue } from '@bufbuild/protobuf';
import { messageOf } from './descriptors.js';

/**
 * The same JSON, where it fits the message. Fields and enum values that the message does not have are ignored.
 * Throws an Error that names the field and what is wrong with it.
 */
export function checkedPayload(message: string, json: unknown): unknown {
  fromJson(messageOf(message), json as JsonValue, { ignoreUnknownFields: true });
  return json;
}
