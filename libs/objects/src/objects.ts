/**
 * The objects port: bytes under keys, in S3's terms.
 *
 * I1  A key holds all of its bytes or none: a reader never sees half of a write, and a crash leaves none.
 * I2  Bytes come back as they went in; `put` returns their SHA-256, and `get` with an expected hash checks it.
 * I3  Keys are `/`-separated segments of [A-Za-z0-9._=-], neither empty nor `.` or `..`, at most 250 characters
 *     each and 512 in all; they begin with the tenant.
 */

export interface StoredObject {
  readonly key: string;
  readonly sha256: string;
  readonly bytes: number;
}

/** An object as a listing knows it: S3 lists no hashes. */
export interface ListedObject {
  readonly key: string;
  readonly bytes: number;
}

/** An abstract class, so that it is its own injection token. */
export abstract class Objects {
  /** Writes bytes; the same key again replaces them. Throws OBJECTS_UNAVAILABLE (retriable) or OBJECT_KEY_INVALID. */
  abstract put(key: string, bytes: Uint8Array): Promise<StoredObject>;
  /** Moves a local file in, without holding it in memory. Throws OBJECT_SOURCE_MISSING when it is not there. */
  abstract putFile(key: string, path: string): Promise<StoredObject>;
  /** Throws OBJECT_NOT_FOUND, or OBJECT_CORRUPT when the bytes do not have the expected hash. */
  abstract get(key: string, expectedSha256?: string): Promise<Uint8Array>;
  /** A local file with the bytes, for readers that want one (DuckDB, onnxruntime). Read-only; may be the store's own. */
  abstract getFile(key: string, expectedSha256?: string): Promise<string>;
  /** How many bytes a key holds, without reading them. Throws OBJECT_NOT_FOUND. */
  abstract size(key: string): Promise<number>;
  abstract exists(key: string): Promise<boolean>;
  /** Keys with a prefix (cut anywhere; the empty one is all), sorted. */
  abstract list(prefix: string): Promise<ListedObject[]>;
  /** Deleting what is not there is no error. */
  abstract delete(key: string): Promise<void>;
}
