/**
 * Whether JSON from outside is what a message says, by proto3 JSON's own rules: types, times, whole numbers. The generated
 * readers take what they can get (a list that is no list is an empty one), which is right between our own services.
 *
 * I1  A row of a report that is none is its own fault: the message is read, and whoever judges its rows refuses that one for
 *     the reason kept here. Where no row is any, the message is at fault.
 */
import { type DescMessage, fromJson, type JsonValue } from '@bufbuild/protobuf';
import { messageOf } from './descriptors.js';

type Json = Record<string, unknown>;

const reasons = new WeakMap<object, string>();

/** Why a row of a report could not be read; undefined where it could. */
export const unreadableRow = (row: object): string | undefined => reasons.get(row);

/**
 * Reads JSON of a message whose repeated field `rows` are rows. Fields and enum values that the message does not have are
 * ignored. Throws an Error that names the field and what is wrong with it.
 */
export function readReport<T>(message: string, rows: string, json: unknown, read: (json: unknown) => T): T {
  const type = messageOf(message);
  const faults = faultsOf(type, rows, json as Json);
  if (!faults.size) return read(json);
  const sound = { ...(json as Json), [rows]: rowsOf(json as Json, rows).map((row, i) => (faults.has(i) ? {} : row)) };
  const report = read(sound);
  for (const [i, reason] of faults) reasons.set((report as Record<string, object[]>)[rows][i], reason);
  return report;
}

/** I1: the rows that are none, and why. */
function faultsOf(type: DescMessage, rows: string, json: Json): Map<number, string> {
  const whole = faultOf(type, json);
  const list = rowsOf(json, rows);
  const one = type.fields.find(({ localName }) => localName === rows)?.message;
  if (!whole) return new Map();
  if (!one || faultOf(type, { ...json, [rows]: [] }) || !Array.isArray(json[rows])) throw whole;
  const found = list.map((row) => faultOf(one, row)?.message);
  if (found.every((fault) => fault !== undefined)) throw whole;
  return new Map(found.flatMap((fault, i) => (fault === undefined ? [] : [[i, fault] as const])));
}

const rowsOf = (json: Json, rows: string): unknown[] => (Array.isArray(json?.[rows]) ? (json[rows] as unknown[]) : []);

function faultOf(type: DescMessage, json: unknown): Error | undefined {
  try {
    fromJson(type, json as JsonValue, { ignoreUnknownFields: true });
    return undefined;
  } catch (error) {
    return error as Error;
  }
}
