/**
 * Removes what runs of the server that were killed have left half uploaded. Only uploads of files that bear the name of
 * one of our tasks are touched: a bucket may serve others, too.
 */
import { selectTaskPlaces } from '../../catalog/dump-tasks.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import type { ObjectStore } from '../../objects/object-store.ts';
import type { DumpLogger } from '../dump-config.ts';
import { taskOfManifest } from './object-name.ts';
import { parseStoredSettings } from '../settings/settings.ts';

export interface LeftoverParts {
  readonly catalog: Catalog;
  readonly objects: ObjectStore;
  readonly logger: DumpLogger;
}

/** Looks where the tasks deliver to and ever did, deleted ones included. A bucket that cannot be asked is logged and left for the next time. */
export async function removeLeftoverUploads({ catalog, objects, logger }: LeftoverParts): Promise<void> {
  const tasks = await selectTaskPlaces(catalog.reader);
  const ids = new Set(tasks.map(({ task_id }) => task_id));
  const places = tasks.map(({ settings }) => parseStoredSettings(settings));
  const isOurs = (key: string) => {
    const name = key.slice(key.lastIndexOf('/') + 1);
    return ids.has(taskOfManifest(key) ?? name.slice(0, name.indexOf('.')));
  };
  for (const [bucket, settings] of Map.groupBy(places, (place) => place.bucket)) {
    for (const prefix of new Set(settings.map((place) => place.prefix))) {
      try {
        // One process delivers, and knows its own uploads: the others are of runs that are over.
        const removed = await objects.removeLeftovers(bucket, prefix, isOurs);
        if (removed > 0) logger.info({ bucket, prefix, removed }, 'leftover uploads removed');
      } catch (error) {
        logger.warn({ err: error, bucket, prefix }, 'leftover uploads not removed');
      }
    }
  }
}
