/**
 * Removes what runs of the server that were killed have left half uploaded. Only uploads of files that bear the name of
 * one of our tasks are touched: a bucket may serve others, too. Of other nodes' uploads only the age tells whether they are
 * over.
 */
import { selectTaskPlaces } from '../../catalog/dump-tasks.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import type { ObjectStore } from '../../objects/object-store.ts';
import type { Clock } from '../../platform/clock.ts';
import type { DumpLogger } from '../dump-config.ts';
import { taskOfManifest } from './object-name.ts';
import { parseStoredSettings } from '../settings/settings.ts';

export interface LeftoverParts {
  readonly catalog: Catalog;
  readonly objects: ObjectStore;
  readonly clock: Clock;
  /** Whether other nodes deliver there, too. */
  readonly shared: boolean;
  readonly logger: DumpLogger;
}

/** A day: no upload takes as long, by whichever clock. */
const LONGEST_UPLOAD_MS = 86_400_000;

/** Looks where the tasks deliver to and ever did, deleted ones included. A bucket that cannot be asked is logged and left for the next time. */
export async function removeLeftoverUploads({ catalog, objects, clock, shared, logger }: LeftoverParts): Promise<void> {
  const tasks = await selectTaskPlaces(catalog.reader);
  const ids = new Set(tasks.map(({ task_id }) => task_id));
  const places = tasks.map(({ settings }) => parseStoredSettings(settings));
  const newest = shared ? clock.now() - LONGEST_UPLOAD_MS : Infinity;
  const isOurs = (key: string, begunAt: number) => {
    if (begunAt > newest) return false;
    const name = key.slice(key.lastIndexOf('/') + 1);
    return ids.has(taskOfManifest(key) ?? name.slice(0, name.indexOf('.')));
  };
  for (const [bucket, settings] of Map.groupBy(places, (place) => place.bucket)) {
    for (const prefix of new Set(settings.map((place) => place.prefix))) {
      try {
        // A process knows its own uploads.
        const removed = await objects.removeLeftovers(bucket, prefix, isOurs);
        if (removed > 0) logger.info({ bucket, prefix, removed }, 'leftover uploads removed');
      } catch (error) {
        logger.warn({ err: error, bucket, prefix }, 'leftover uploads not removed');
      }
    }
  }
}
