/** How SQLite would find the rows of statements: it has no statistics here, so a plan does not depend on what is stored. */
import { CompiledQuery, DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely';
import type { Database } from '../../src/catalog/schema.ts';

/** The plan of each statement that `run` makes of what it is given, whose every answer is empty. */
export async function queryPlans(
  db: Kysely<Database>,
  run: (recorder: Kysely<Database>) => Promise<unknown>,
): Promise<string[]> {
  const statements: CompiledQuery[] = [];
  const recorder = new Kysely<Database>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (inner) => new SqliteIntrospector(inner),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
    log: ({ query }) => void statements.push(query),
  });
  await run(recorder);
  const plans: string[] = [];
  for (const { sql, parameters } of statements) {
    const { rows } = await db.executeQuery<{ detail: string }>(
      CompiledQuery.raw(`explain query plan ${sql}`, [...parameters]),
    );
    plans.push(rows.map(({ detail }) => detail).join('\n'));
  }
  return plans;
}
