/**
 * Plans a manifest: which files it lists is fixed in one transaction before a byte of it is stored, so that the same
 * number always lists the same files.
 */
import type { Kysely } from 'kysely';
import { claimFiles, insertManifest, isManifestKey, sumFiles } from '../../catalog/dump-manifests.ts';
import { selectPeriod, setPeriodTold } from '../../catalog/dump-periods.ts';
import type { Database } from '../../catalog/schema.ts';
import { loadSettings } from '../merge/plan-merges.ts';
import { manifestKey } from './manifest-key.ts';

/**
 * The next manifest of a period, of all files that none lists yet; nothing when there are none. Runs in the caller's
 * transaction. `now` in ms.
 */
export async function planManifest(
  transaction: Kysely<Database>,
  taskId: string,
  period: number,
  now: number,
): Promise<void> {
  const row = await selectPeriod(transaction, taskId, period);
  if (row === undefined) return;
  const key = { task_id: taskId, period, number: row.manifests };
  await claimFiles(transaction, key);
  const { version, ...sums } = await sumFiles(transaction, key);
  if (sums.files === 0) return setPeriodTold(transaction, taskId, period, row.manifests);

  // That of the newest files: where they are is where it is looked for.
  const settings = (await loadSettings(transaction, taskId))(version);
  const { bucket } = settings;
  const name = { taskId, period, number: key.number };
  const usual = manifestKey(settings, name);
  const taken = await isManifestKey(transaction, taskId, bucket, usual);
  const objectKey = taken ? manifestKey(settings, name, true) : usual;
  const unstored = { stored_at: null, checksum: null, etag: null };
  await insertManifest(transaction, { ...key, ...sums, bucket, object_key: objectKey, created_at: now, ...unstored });
  await setPeriodTold(transaction, taskId, period, key.number + 1);
}
