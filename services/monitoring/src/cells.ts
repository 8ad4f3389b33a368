/** Feature cells of a prediction row as one string: Float64, little-endian, base64. */

/** Packs numbers; NaN stays NaN. */
export function packNumbers(numbers: readonly number[]): string {
  return Buffer.from(Float64Array.from(numbers).buffer).toString('base64');
}

/** The numbers of a packed string. */
export function unpackNumbers(packed: string): Float64Array {
  const { buffer, byteOffset, byteLength } = Buffer.from(packed, 'base64');
  // a copy: small buffers share a pool, at any offset
  return new Float64Array(buffer.slice(byteOffset, byteOffset + byteLength));
}
