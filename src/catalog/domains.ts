/** The statements about domains (accounts). A domain has no row of its own: it is there while a project names it. */
import type { Kysely } from 'kysely';
import type { Database } from './schema.ts';

/** The names of all domains, in order. */
export async function selectDomains(db: Kysely<Database>): Promise<string[]> {
  const rows = await db.selectFrom('projects').select('domain').distinct().orderBy('domain').execute();
  return rows.map(({ domain }) => domain);
}
