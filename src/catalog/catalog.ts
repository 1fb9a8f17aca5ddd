/** The catalog as every other part sees it. `sqlite/` opens the embedded one. */
import type { Kysely } from 'kysely';
import type { Database } from './schema.ts';

export interface Catalog {
  /** Statements and transactions; with SQLite one at a time. */
  readonly db: Kysely<Database>;
  /** For reads that may take long (pages of a large dump log): they hold up nothing in `db`. Sees committed rows. */
  readonly reader: Kysely<Database>;
  /** The same for reads that may take seconds (filters, exports), so that those of `reader` need not wait for them. */
  readonly scanner: Kysely<Database>;
  close(): Promise<void>;
}
