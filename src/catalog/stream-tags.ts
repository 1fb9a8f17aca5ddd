/** The statement that changes the tags of a stream that exists. */
import type { Kysely } from 'kysely';
import type { Tag } from '../model/stream.ts';
import type { Database } from './schema.ts';

export async function updateStreamTags(
  db: Kysely<Database>,
  stream: number,
  tags: readonly Tag[],
  updatedAt: number,
): Promise<void> {
  await db
    .updateTable('streams')
    .set({ tags: JSON.stringify(tags), updated_at: updatedAt })
    .where('number', '=', stream)
    .execute();
}
