/** The one way in which apps are made and deleted: in the catalog, and then on every node. An app never changes otherwise. */
import type { Kysely } from 'kysely';
import { deleteAppRows, lockApp } from '../catalog/apps.ts';
import { lockingTransaction } from '../catalog/row-locks.ts';
import type { Database } from '../catalog/schema.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { SharedChanges } from '../cluster/shared-changes.ts';
import type { ConsumerApp } from '../model/consumer-app.ts';
import { DomainError } from '../model/errors.ts';
import type { CatchUp } from '../platform/catch-up.ts';

export interface AppChangesOptions {
  readonly db: Kysely<Database>;
  readonly cluster: Pick<Cluster, 'announceIn' | 'settled'>;
  /** What keeps the registry, see AppFollower. */
  readonly memory: CatchUp<string>;
}

export class AppChanges {
  readonly #db: Kysely<Database>;
  readonly #changes: SharedChanges<string>;

  constructor({ db, ...options }: AppChangesOptions) {
    this.#db = db;
    this.#changes = new SharedChanges({ kind: 'app', ...options });
  }

  /** Runs `insert`, which stores the app, in a transaction. Resolves when every node knows it. */
  async make(app: ConsumerApp, insert: (transaction: Kysely<Database>) => Promise<void>): Promise<void> {
    await this.#changes.make([app.id], () =>
      this.#db.transaction().execute(async (transaction) => {
        await insert(transaction);
        return this.#changes.announce(transaction, app.id);
      }),
    );
  }

  /**
   * Deletes the app with its checkpoints and its group, unless `check`, run in the transaction with the app locked, throws.
   * Resolves when no node knows it any more. Throws AppNotFound.
   */
  async delete(app: ConsumerApp, check: (transaction: Kysely<Database>) => Promise<void>): Promise<void> {
    await this.#changes.make([app.id], () =>
      lockingTransaction(this.#db).execute(async (transaction) => {
        if (!(await lockApp(transaction, app.id))) throw new DomainError('AppNotFound', [app.name]);
        await check(transaction);
        await deleteAppRows(transaction, app.id);
        return this.#changes.announce(transaction, app.id);
      }),
    );
  }
}
