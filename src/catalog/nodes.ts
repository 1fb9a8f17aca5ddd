/** The nodes of a cluster. PostgreSQL only: its clock decides who is alive. */
import { sql, type Kysely } from 'kysely';
import { POSTGRES_NOW } from './postgres/now.ts';
import type { Database, NodesTable } from './schema.ts';

export interface NewNode {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly url: string;
}

/** A node that is alive for `leaseMs` from now, and has taken in every change so far: resolves to the last of them. */
export async function insertNode(db: Kysely<Database>, node: NewNode, leaseMs: number): Promise<number> {
  const { change_seen } = await db
    .insertInto('nodes')
    .values({
      ...node,
      started_at: POSTGRES_NOW,
      renewed_at: POSTGRES_NOW,
      expires_at: sql<number>`${POSTGRES_NOW} + ${leaseMs}`,
      change_seen: sql<number>`(select coalesce(max(id), 0) from changes)`,
    })
    .returning('change_seen')
    .executeTakeFirstOrThrow();
  return change_seen;
}

/** False when the node has been dead meanwhile: others may have taken what it had. */
export async function renewNode(
  db: Kysely<Database>,
  { id, url }: Pick<NewNode, 'id' | 'url'>,
  leaseMs: number,
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('nodes')
    .set({ url, renewed_at: POSTGRES_NOW, expires_at: sql<number>`${POSTGRES_NOW} + ${leaseMs}` })
    .where('id', '=', id)
    .where('expires_at', '>', POSTGRES_NOW)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

export async function setChangeSeen(db: Kysely<Database>, id: string, change: number): Promise<void> {
  await db.updateTable('nodes').set({ change_seen: change }).where('id', '=', id).execute();
}

export interface LiveNode extends NodesTable {
  /** For how many ms more if it is not heard of. */
  readonly expires_in: number;
}

/** In order of name. */
export async function selectLiveNodes(db: Kysely<Database>): Promise<LiveNode[]> {
  return db
    .selectFrom('nodes')
    .selectAll()
    .select(sql<number>`expires_at - ${POSTGRES_NOW}`.as('expires_in'))
    .where('expires_at', '>', POSTGRES_NOW)
    .orderBy('name')
    .orderBy('id')
    .execute();
}

export async function deleteNode(db: Kysely<Database>, id: string): Promise<void> {
  await db.deleteFrom('nodes').where('id', '=', id).execute();
}

/** Removes all that a node of this name has been. */
export async function deleteNodesOf(db: Kysely<Database>, name: string): Promise<void> {
  await db.deleteFrom('nodes').where('name', '=', name).execute();
}

/** Removes nodes that have been dead for `ms`. */
export async function deleteDeadNodes(db: Kysely<Database>, ms: number): Promise<void> {
  await db
    .deleteFrom('nodes')
    .where('expires_at', '<', sql<number>`${POSTGRES_NOW} - ${ms}`)
    .execute();
}
