/**
 * Looks over the footer of a Parquet file (Thrift's compact protocol) before DuckDB decodes it: twenty bytes that claim a
 * list of five million columns cost it 2 GB.
 *
 * I1  Nothing is made of what is read: elements are counted, and a claim of more than there are bytes is refused.
 * I2  What DuckDB allocates for a footer is bounded by the elements it is allowed.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { errors } from '../errors.js';

export interface FooterLimits {
  readonly bytes: number;
  /** Of all lists, sets and maps: columns times row groups, mostly. */
  readonly elements: number;
  readonly depth: number;
}

export const footerLimits: FooterLimits = { bytes: 16 * 1024 ** 2, elements: 250_000, depth: 16 };

/** The length of the footer and the mark, at the end of every file. */
const tailBytes = 8;

/** Throws FILE_UNREADABLE or FILE_EXPANDS. */
export async function checkFooter(path: string, limits: FooterLimits = footerLimits): Promise<void> {
  const file = await open(path, 'r');
  try {
    await new Footer(await footerOf(file, limits), limits).check();
  } finally {
    await file.close();
  }
}

async function footerOf(file: FileHandle, limits: FooterLimits): Promise<Buffer> {
  const { size } = await file.stat();
  if (size < 4 + tailBytes) throw unreadable('it is too short');
  const tail = (await file.read(Buffer.alloc(tailBytes), 0, tailBytes, size - tailBytes)).buffer;
  if (tail.toString('latin1', 4) !== 'PAR1') throw unreadable('it does not end in PAR1');
  const length = tail.readUInt32LE(0);
  if (length > size - 4 - tailBytes) throw unreadable('its footer is longer than the file');
  if (length > limits.bytes) throw beyond('bytes in its footer', limits.bytes);
  return (await file.read(Buffer.alloc(length), 0, length, size - tailBytes - length)).buffer;
}

/** Thrift's compact types. */
const [yes, no, byte, i16, i32, i64, double, binary, list, set, map, struct] = Array.from(
  { length: 12 },
  (_, i) => i + 1,
);

class Footer {
  private at = 0;
  private elements = 0;

  constructor(
    private readonly bytes: Buffer,
    private readonly limits: FooterLimits,
  ) {}

  check(): void {
    this.struct(0);
  }

  private struct(depth: number): void {
    if (depth > this.limits.depth) throw beyond('levels in its footer', this.limits.depth);
    for (let header = this.next(); header !== 0; header = this.next()) {
      if (header >> 4 === 0) this.varint(); // the field's number, where it is far from the one before
      const type = header & 15;
      if (type !== yes && type !== no) this.value(type, depth + 1); // a flag is in its header
    }
  }

  private value(type: number, depth: number): void {
    if (type === yes || type === no || type === byte) this.skip(1);
    else if (type === i16 || type === i32 || type === i64) this.varint();
    else if (type === double) this.skip(8);
    else if (type === binary) this.skip(this.varint());
    else if (type === list || type === set) this.list(depth);
    else if (type === map) this.map(depth);
    else if (type === struct) this.struct(depth);
    else throw unreadable(`its footer has a value of the unknown type ${type}`);
  }

  private list(depth: number): void {
    const header = this.next();
    const size = header >> 4 === 15 ? this.varint() : header >> 4;
    this.count(size);
    for (let i = 0; i < size; i++) this.value(header & 15, depth + 1);
  }

  private map(depth: number): void {
    const size = this.varint();
    if (size === 0) return;
    this.count(size);
    const types = this.next();
    for (let i = 0; i < size; i++) {
      this.value(types >> 4, depth + 1);
      this.value(types & 15, depth + 1);
    }
  }

  /** I1, I2 */
  private count(size: number): void {
    if (size > this.bytes.length - this.at) throw unreadable('its footer claims more than there is in it');
    this.elements += size;
    if (this.elements > this.limits.elements) throw beyond('elements in its footer', this.limits.elements);
  }

  private varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const part = this.next();
      value += (part & 127) * scale;
      if (part < 128) return value;
      if (scale > 2 ** 63) throw unreadable('its footer has a number without an end');
    }
  }

  private skip(bytes: number): void {
    this.at += bytes;
    if (this.at > this.bytes.length) throw unreadable('its footer breaks off');
  }

  private next(): number {
    this.skip(1);
    return this.bytes[this.at - 1];
  }
}

const unreadable = (problem: string) => errors.FILE_UNREADABLE({ format: 'parquet', problem });
const beyond = (what: string, limit: number) => errors.FILE_EXPANDS({ format: 'parquet', what, limit });
