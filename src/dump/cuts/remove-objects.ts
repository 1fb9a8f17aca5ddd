/** Removes what attempts at a cut may have stored. */
import { isDomainError } from '../../model/errors.ts';
import type { ObjectStore } from '../../objects/object-store.ts';
import type { CutToWrite, WrittenCut } from './cut.ts';
import { deadLetterKey, fileName, isOfCut, objectKey } from './object-name.ts';
import { fixedPlace } from '../paths/path-finder.ts';

/** What names the objects of a cut. */
type StoredCut = Pick<CutToWrite, 'bucket' | 'settings' | 'createdAt' | 'baseName'>;

export interface Removal {
  readonly keep?: WrittenCut | undefined;
  /** Asked right before each removal: an object that another node may have committed stays. */
  readonly isOurs?: () => boolean;
}

/**
 * All objects of the cut but those of `keep`. Where the records say the directories, nobody knows which they were: then
 * the task's part of the bucket is listed for the names of the cut. Rejects when it is not certain that they are gone; a
 * bucket that is gone holds none.
 */
export async function removeObjectsOfCut(objects: ObjectStore, cut: StoredCut, removal: Removal = {}): Promise<void> {
  try {
    await removeAllBut(objects, cut, removal);
  } catch (error) {
    if (!isDomainError(error, 'BucketNotFound')) throw error;
  }
}

async function removeAllBut(objects: ObjectStore, cut: StoredCut, { keep, isOurs }: Removal): Promise<void> {
  const { bucket, settings, baseName } = cut;
  const kept = new Set([...(keep?.files.map(({ key }) => key) ?? []), keep?.deadLetters?.key]);
  const doomed = [deadLetterKey(settings.prefix, baseName)];
  const place = fixedPlace(settings, cut.createdAt);
  if (place !== undefined) doomed.push(objectKey(settings.prefix, place.path, fileName(baseName, settings)));
  else {
    for await (const { key } of objects.list(bucket, settings.prefix)) {
      const name = key.slice(key.lastIndexOf('/') + 1);
      if (isOfCut(name, baseName)) doomed.push(key);
    }
  }
  await removeAll(
    objects,
    bucket,
    [...new Set(doomed)].filter((key) => !kept.has(key)),
    isOurs,
  );
}

/** Exactly the objects of a written cut. */
export function removeWrittenCut(objects: ObjectStore, bucket: string, cut: WrittenCut): Promise<void> {
  const keys = cut.files.map(({ key }) => key);
  return removeAll(objects, bucket, cut.deadLetters === undefined ? keys : [...keys, cut.deadLetters.key]);
}

const REMOVALS_AT_ONCE = 8;

/** Rejects, once none is under way any more, if one failed. */
async function removeAll(
  objects: ObjectStore,
  bucket: string,
  keys: readonly string[],
  isOurs: () => boolean = () => true,
): Promise<void> {
  const left = keys.values();
  const remove = async () => {
    for (const key of left) {
      if (!isOurs()) throw new Error('another node may have the cut by now');
      await objects.delete(bucket, key);
    }
  };
  const outcomes = await Promise.allSettled(Array.from({ length: REMOVALS_AT_ONCE }, remove));
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}
