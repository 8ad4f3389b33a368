/**
 * ONNX's protobuf messages.
 *
 * protobufjs asks for `long` by require; a loader that prefers ES modules (jest, with import conditions) answers with a
 * namespace instead of the class, and the generated code then breaks while loading. It looks for a global one first, so
 * that is there for as long as it loads.
 */
import Long from 'long';

const before = Reflect.get(globalThis, 'Long');
Reflect.set(globalThis, 'Long', Long);
const { default: loaded } = await import('onnx-proto');
if (before === undefined) Reflect.deleteProperty(globalThis, 'Long');
else Reflect.set(globalThis, 'Long', before);

export const { onnx } = loaded;

export type { onnx as Onnx } from 'onnx-proto';
