/** Blobs on their way to threads and machines: named by what they hold. */
import { createHash } from 'node:crypto';
import { Recent } from './recent.ts';
import type { Blobs } from './workers.ts';

export interface SharedBlob {
  /** SHA-256 of the bytes. */
  readonly hash: string;
  /** In memory that threads share: sending them sends no bytes. */
  readonly bytes: Uint8Array;
}

export type SharedBlobs = Readonly<Record<string, SharedBlob>>;

/** Blobs that are kept for the batches to come. */
const KEPT = 8;

/** The sender's side: what was sent lately is not copied again. */
export class Sharing {
  private readonly recent = new Recent<SharedBlob>(KEPT);

  share(blobs: Blobs): SharedBlobs {
    return mapRecord(blobs, (bytes) => {
      const hash = sha256(bytes);
      return this.recent.get(hash, () => ({ hash, bytes: inSharedMemory(bytes) }));
    });
  }
}

/** The receiver's side: equal bytes are one object. */
export class Receiving {
  private readonly recent = new Recent<Uint8Array>(KEPT);
  private readonly records = new Recent<Blobs>(KEPT);

  blobs(shared: SharedBlobs): Blobs {
    const key = JSON.stringify(mapRecord(shared, ({ hash }) => hash));
    return this.records.get(key, () =>
      mapRecord(shared, ({ hash, bytes }) => this.recent.get(hash, () => bytes)),
    );
  }
}

export function sha256(data: Uint8Array | string): string {
  return createHash('sha256').update(data).digest('hex');
}

export function mapRecord<From, To>(
  record: Readonly<Record<string, From>>,
  change: (value: From) => To,
): Readonly<Record<string, To>> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}

export function inSharedMemory(bytes: Uint8Array): Uint8Array {
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  return shared;
}
