/**
 * What a message would become if it were decoded: messages and values, counted on its bytes. A few bytes can stand for an
 * object each (`12 00`), so a limit on bytes alone is none.
 *
 * I1  One pass over the bytes, whatever they are; nothing is allocated for what is counted.
 * I2  It ends at the first message or value too many, and at the first byte that no message can have there.
 */
import type { WireField, WireShape } from '@driftloop/contracts';
import { errors } from '../errors.js';

/** How much a request of a method may hold. */
export interface CountLimits {
  /** Messages within it, entries of maps included. */
  readonly messages: number;
  /** Fields that are set, each element of a repeated one for itself. */
  readonly values: number;
}

export interface WireCount {
  readonly messages: number;
  readonly values: number;
}

/** As deep as messages may lie in each other: what the generated decoders go to. */
const deepest = 100;

/** Counts. Throws MESSAGE_HOLDS_TOO_MUCH or MESSAGE_MALFORMED. */
export function countWire(method: string, bytes: Uint8Array, shape: WireShape, limits: CountLimits): WireCount {
  const scan = new Scan(method, bytes, limits);
  scan.message(shape, bytes.length, 0);
  return scan;
}

class Scan implements WireCount {
  messages = 0;
  values = 0;
  #at = 0;

  constructor(
    private readonly method: string,
    private readonly bytes: Uint8Array,
    private readonly limits: CountLimits,
  ) {}

  message(shape: WireShape | undefined, end: number, depth: number): void {
    if (depth > deepest) throw this.#malformed('its messages lie too deep in each other');
    while (this.#at < end) {
      const tag = this.#varint(end);
      if (tag < 8) throw this.#malformed('a field has no number');
      this.#count();
      this.#field(tag & 7, shape?.field(tag >>> 3), end, depth);
    }
  }

  #field(type: number, field: WireField | undefined, end: number, depth: number): void {
    if (type === 0) this.#varint(end);
    else if (type === 1) this.#skip(8, end);
    else if (type === 5) this.#skip(4, end);
    else if (type === 2) this.#delimited(field, end, depth);
    else throw this.#malformed(`there is no wire type ${type}`);
  }

  #delimited(field: WireField | undefined, end: number, depth: number): void {
    const length = this.#varint(end);
    const inner = this.#at + length;
    if (inner > end) throw this.#malformed('a field is longer than what holds it');
    if (typeof field === 'object') {
      if (++this.messages > this.limits.messages) throw this.#tooMuch('messages', this.limits.messages);
      this.message(field, inner, depth + 1);
    } else if (field === 'varints') while (this.#at < inner) this.#packed(inner);
    else if (field !== undefined) this.#numbers(length, field);
    this.#at = inner;
  }

  #packed(end: number): void {
    this.#varint(end);
    this.#count();
  }

  #numbers(length: number, size: number): void {
    if (length % size) throw this.#malformed('packed numbers end in the middle of one');
    this.#count(length / size);
  }

  #count(more = 1): void {
    this.values += more;
    if (this.values > this.limits.values) throw this.#tooMuch('values', this.limits.values);
  }

  #skip(length: number, end: number): void {
    this.#at += length;
    if (this.#at > end) throw this.#malformed('it ends in the middle of a number');
  }

  /** The low 32 bits, as the decoders take tags and lengths. */
  #varint(end: number): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.#at >= end) throw this.#malformed('it ends in the middle of a number');
      const byte = this.bytes[this.#at++];
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw this.#malformed('a number has more than ten bytes');
  }

  #malformed(reason: string): Error {
    return errors.MESSAGE_MALFORMED({ method: this.method, reason: `byte ${this.#at}: ${reason}` });
  }

  #tooMuch(what: string, limit: number): Error {
    return errors.MESSAGE_HOLDS_TOO_MUCH({ method: this.method, what, limit });
  }
}
