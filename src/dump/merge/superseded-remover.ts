/**
 * Removes the objects that merged files have taken the place of, after the merge is committed. What a crash or a store that
 * refuses leaves is found again by its rows. A task that was deleted meanwhile changes nothing: they are none of its files.
 */
import { selectUnremoved, setRemoved, type UnremovedFile } from '../../catalog/dump-merges.ts';
import type { DumpParts } from '../dump-config.ts';
import type { Job } from '../job-queue.ts';

type RemoverParts = Pick<DumpParts, 'catalog' | 'objects' | 'clock' | 'logger' | 'config'>;

const ROWS_PER_PAGE = 64;

export function removal(parts: RemoverParts): Job {
  return {
    key: 'removal',
    taskId: '',
    run: async (signal) => {
      try {
        return (await removeSuperseded(parts, signal)) ? undefined : parts.config.backoff.max;
      } catch (error) {
        parts.logger.error({ err: error }, 'merged files not looked for');
        return parts.config.backoff.max;
      }
    },
  };
}

/** Goes once through all there are. False when some are left. */
async function removeSuperseded(parts: RemoverParts, signal: AbortSignal): Promise<boolean> {
  const { catalog, clock } = parts;
  let complete = true;
  for (let after: UnremovedFile | undefined; !signal.aborted;) {
    const page = await selectUnremoved(catalog.db, after, ROWS_PER_PAGE);
    const removed = await Promise.all(page.map((file) => remove(parts, file)));
    const gone = page.filter((_file, index) => removed[index]).map(({ id }) => id);
    await setRemoved(catalog.db, gone, clock.now());
    complete &&= gone.length === page.length;
    if (page.length < ROWS_PER_PAGE) return complete;
    after = page.at(-1);
  }
  return false;
}

async function remove({ objects, logger }: RemoverParts, { bucket, object_key: key }: UnremovedFile): Promise<boolean> {
  try {
    await objects.delete(bucket, key);
    return true;
  } catch (error) {
    logger.warn({ err: error, bucket, key }, 'merged file not removed');
    return false;
  }
}
