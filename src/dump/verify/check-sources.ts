/**
 * Files that were made of others: a merged file has the records of the files that it stands for, and of the dead letters
 * that a redrive took each is in a file or dead again. Both sides are summed in one statement, so that a merge or a redrive
 * that is committed meanwhile counts on both sides or on neither.
 */
import type { Kysely } from 'kysely';
import { selectMergeSums, selectRedriveSums, type CutRow } from '../../catalog/dump-log-walk.ts';
import { LOG_STATE, type Database, type LogKind } from '../../catalog/schema.ts';
import type { Doubt } from './doubt.ts';

/** Takes the merges and redrives among some rows. */
export async function checkSources(db: Kysely<Database>, rows: readonly CutRow[]): Promise<Doubt[]> {
  const doubts: Doubt[] = [];
  for (const { bucket, object_key: key, records, inputs } of await selectMergeSums(db, plansOf(rows, 'merge'))) {
    if (inputs === records) continue;
    const detail = `the merged file has ${records} records, the files that it stands for ${inputs}`;
    // It may have outlived rows of its inputs.
    const stands: Doubt['stands'] = ({ time }) => inputs > records || time === 0;
    doubts.push({ finding: { kind: 'count', bucket, key, detail }, stands });
  }
  for (const source of await selectRedriveSums(db, plansOf(rows, 'redrive'))) {
    const { partition, bucket, object_key: key, dead_letters: taken, outcome } = source;
    if (outcome === taken) continue;
    const detail = `${taken} dead letters were taken and ${outcome} records came of them`;
    const place = key === '' ? {} : { bucket, key };
    // The source is older: a redrive whose source is kept is whole.
    doubts.push({ finding: { kind: 'count', partition, ...place, detail }, stands: () => true });
  }
  return doubts;
}

function plansOf(rows: readonly CutRow[], kind: LogKind): number[] {
  return rows
    .filter((row) => row.kind === kind && row.state === LOG_STATE.succeeded && row.plan_id === null)
    .map(({ id }) => id);
}
