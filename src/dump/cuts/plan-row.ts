/** A planned cut as a row of the dump log. */
import type { NewLogRow } from '../../catalog/dump-log.ts';
import { LOG_STATE } from '../../catalog/schema.ts';
import { fileName, objectKey } from './object-name.ts';
import { fixedPlace } from '../paths/path-finder.ts';
import type { Plan } from '../tasks/task-table.ts';

/** What of a plan its row tells. */
export type PlannedCut = Pick<
  Plan,
  | 'pair'
  | 'version'
  | 'first'
  | 'next'
  | 'createdAt'
  | 'startTime'
  | 'bucket'
  | 'settings'
  | 'baseName'
  | 'schemaRevision'
  | 'attempt'
>;

/** What it says of its files is what is known already: the path, if it does not depend on the records. */
export function planRow(plan: PlannedCut) {
  const { settings, createdAt } = plan;
  const name = fileName(plan.baseName, settings);
  const place = fixedPlace(settings, createdAt);
  return {
    task_id: plan.pair.task.id,
    task_version: plan.version,
    partition: plan.pair.ref.partition,
    state: LOG_STATE.inProgress,
    first_sequence: plan.first,
    next_sequence: plan.next,
    created_at: createdAt,
    start_time: plan.startTime,
    end_time: createdAt,
    read_records: 0,
    records: 0,
    bytes: 0,
    file_name: name,
    bucket: plan.bucket,
    object_key: place === undefined ? '' : objectKey(settings.prefix, place.path, name),
    path: place?.path ?? '',
    period: place?.period?.start ?? null,
    schema_revision: plan.schemaRevision,
    checksum: null,
    etag: null,
    attempt: plan.attempt,
    error_code: null,
    cause: null,
    given_up: 0,
    kind: 'delivery',
  } satisfies NewLogRow;
}
