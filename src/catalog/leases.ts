/** Who does which work: see cluster/cluster.ts. PostgreSQL only. */
import { sql, type Kysely } from 'kysely';
import { POSTGRES_NOW } from './postgres/now.ts';
import type { Database } from './schema.ts';

export interface LeaseRow {
  readonly name: string;
  readonly owner: string | null;
  readonly epoch: number;
}

export async function selectLeases(db: Kysely<Database>): Promise<LeaseRow[]> {
  return db.selectFrom('leases').select(['name', 'owner', 'epoch']).execute();
}

/**
 * Gives those of `rows` to a live node whose epoch is still what the row says, unless the owner is alive and `force` is
 * false, or a transaction goes on in which it has looked at them (lockLeases): nobody is to wait for a node that may be
 * frozen. Resolves to what it got.
 */
export async function takeLeases(
  db: Kysely<Database>,
  node: string,
  rows: readonly LeaseRow[],
  force: boolean,
): Promise<{ name: string; epoch: number }[]> {
  if (rows.length === 0) return [];
  const isAlive = (id: unknown) =>
    sql<boolean>`exists (select 1 from nodes as n where n.id = ${id} and n.expires_at > ${POSTGRES_NOW})`;
  const { rows: taken } = await sql<{ name: string; epoch: number }>`
    with free as (
      select l.name from leases as l
      join unnest(${rows.map(({ name }) => name)}::text[], ${rows.map(({ epoch }) => epoch)}::bigint[]) as w(name, epoch)
        on l.name = w.name and l.epoch = w.epoch
      where ${isAlive(node)} and (${sql.lit(force)} or l.owner is null or not ${isAlive(sql.ref('l.owner'))})
      order by l.name for update of l skip locked
    )
    update leases as l set owner = ${node}, epoch = l.epoch + 1, taken_at = ${POSTGRES_NOW}
    from free where l.name = free.name
    returning l.name, l.epoch`.execute(db);
  return taken;
}

export async function releaseLeases(
  db: Kysely<Database>,
  node: string,
  leases: readonly { readonly name: string; readonly epoch: number }[],
): Promise<void> {
  if (leases.length === 0) return;
  await sql`
    update leases as l set owner = null
    from unnest(${leases.map(({ name }) => name)}::text[], ${leases.map(({ epoch }) => epoch)}::bigint[]) as w(name, epoch)
    where l.name = w.name and l.epoch = w.epoch and l.owner = ${node}`.execute(db);
}

/** The epochs of those of `names` that a node has. Within a transaction nobody takes them before its end. */
export async function lockLeases(
  transaction: Kysely<Database>,
  node: string,
  names: readonly string[],
): Promise<Map<string, number>> {
  const rows = await transaction
    .selectFrom('leases')
    .select(['name', 'epoch'])
    .where('name', '=', sql<string>`any(${[...names]}::text[])`)
    .where('owner', '=', node)
    // In one order for all, so that nobody waits for somebody who waits for it.
    .orderBy('name')
    .forShare()
    .execute();
  return new Map(rows.map(({ name, epoch }) => [name, epoch]));
}

export async function insertLeases(transaction: Kysely<Database>, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  await sql`insert into leases (name, owner, epoch) select name, null, 0 from unnest(${[...names]}::text[]) as w(name)
    on conflict do nothing`.execute(transaction);
}

export async function deleteLeases(transaction: Kysely<Database>, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  await sql`delete from leases where name = any(${[...names]}::text[])`.execute(transaction);
}
