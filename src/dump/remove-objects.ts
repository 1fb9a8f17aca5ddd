/** Removes what attempts at a cut may have stored. */
import type { ObjectStore } from '../objects/object-store.ts';
import type { CutToWrite, WrittenCut } from './cut.ts';
import { deadLetterKey, fileName, objectKey } from './object-name.ts';
import { fixedPlace } from './paths/path-finder.ts';

/**
 * All objects of the cut but those of `keep`. Where the records say the directories, nobody knows which they were: then
 * the task's part of the bucket is listed for the names of the cut.
 */
export async function removeObjectsOfCut(
  objects: ObjectStore,
  cut: Pick<CutToWrite, 'bucket' | 'settings' | 'createdAt' | 'baseName'>,
  keep?: WrittenCut,
): Promise<void> {
  const { bucket, settings, baseName } = cut;
  const kept = new Set([...(keep?.files.map(({ key }) => key) ?? []), keep?.deadLetters?.key]);
  const doomed = [deadLetterKey(settings.prefix, baseName)];
  const place = fixedPlace(settings, cut.createdAt);
  if (place !== undefined) doomed.push(objectKey(settings.prefix, place.path, fileName(baseName, settings)));
  else {
    for await (const { key } of objects.list(bucket, settings.prefix)) {
      const name = key.slice(key.lastIndexOf('/') + 1);
      if (name.startsWith(baseName) && !/^\d/.test(name.slice(baseName.length))) doomed.push(key);
    }
  }
  for (const key of new Set(doomed)) if (!kept.has(key)) await objects.delete(bucket, key);
}
