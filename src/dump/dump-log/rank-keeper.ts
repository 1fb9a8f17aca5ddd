/**
 * Keeps the separators of long dump logs in shape: fine enough that little is counted between two of them, and few enough
 * that those of a level are added up quickly. It works in small transactions, each of which leaves every count exact, so
 * it may stop, or fail, anywhere.
 */
import {
  deleteRank,
  insertFirstRanks,
  insertRank,
  RANK_LEVEL,
  selectKeyAfter,
  selectRankBefore,
  selectRankedTasks,
  selectRanksFrom,
  selectUneven,
  selectUnranked,
  setRankRows,
  type Rank,
  type RankedOrder,
  type RankKey,
  type RankLevel,
} from '../../catalog/dump-log-ranks.ts';
import { LOG_SORT_COLUMNS } from '../../catalog/dump-log-pages.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import type { Database } from '../../catalog/schema.ts';
import type { Kysely } from 'kysely';

/** Rows of the separators of a level. */
export interface RankShape {
  /** What a split leaves on the left, and what a join does not go beyond. */
  readonly target: number;
  /** Below it a separator is joined with a neighbour. */
  readonly min: number;
  /** Above it a separator is split. */
  readonly max: number;
}

export interface RankSizes {
  /** Rows from which on a log has separators. */
  readonly threshold: number;
  readonly leaf: RankShape;
  readonly group: RankShape;
}

/**
 * Ten million rows are 2,500 leaves in 40 groups: small enough to stay in the writer's cache, since every commit counts in a
 * leaf and a group of each order, wherever its values are.
 */
export const RANK_SIZES: RankSizes = {
  threshold: 20_000,
  leaf: { target: 4096, min: 1024, max: 8192 },
  group: { target: 262_144, min: 65_536, max: 524_288 },
};

/** Splits of one transaction: it holds up whoever else writes to the catalog for a few milliseconds. */
const SPLITS_PER_TRANSACTION = 8;
/** More leaves than a group has, unless it is far out of shape. */
const LEAVES_LOOKED_AT = 512;

export class RankKeeper {
  readonly #catalog: Pick<Catalog, 'db' | 'reader'>;
  readonly #sizes: RankSizes;
  #closed = false;

  constructor(catalog: Pick<Catalog, 'db' | 'reader'>, sizes: RankSizes = RANK_SIZES) {
    this.#catalog = catalog;
    this.#sizes = sizes;
  }

  /** The look that is under way ends after its current transaction. */
  close(): void {
    this.#closed = true;
  }

  /** Gives logs that have become long their first separators, and brings all others into shape. */
  async look(): Promise<void> {
    const { db, reader } = this.#catalog;
    for (const taskId of await selectUnranked(reader, this.#sizes.threshold)) {
      if (this.#closed) return;
      await db.transaction().execute((transaction) => insertFirstRanks(transaction, taskId));
    }
    for (const taskId of await selectRankedTasks(reader)) {
      for (const sort of LOG_SORT_COLUMNS) await this.#shape({ taskId, sort });
    }
  }

  /** Leaves are split before groups, which end where leaves do, and joined after them. */
  async #shape(order: RankedOrder): Promise<void> {
    const { leaf, group } = this.#sizes;
    const leaves = await this.#uneven(order, RANK_LEVEL.leaf, leaf);
    for (const rank of leaves) if (rank.rows > leaf.max) await this.#splitLeaf(order, rank);
    const groups = await this.#uneven(order, RANK_LEVEL.group, group);
    for (const rank of groups) if (rank.rows > group.max) await this.#splitGroup(order, rank);
    for (const rank of groups) if (rank.rows < group.min) await this.#join(order, RANK_LEVEL.group, group, rank);
    for (const rank of leaves) if (rank.rows < leaf.min) await this.#join(order, RANK_LEVEL.leaf, leaf, rank);
  }

  async #uneven(order: RankedOrder, level: RankLevel, shape: RankShape): Promise<Rank[]> {
    return this.#closed ? [] : selectUneven(this.#catalog.reader, order, level, shape);
  }

  /** Takes one leaf after another off its beginning. */
  async #splitLeaf(order: RankedOrder, { value, id }: RankKey): Promise<void> {
    const { leaf } = this.#sizes;
    let from: RankKey | undefined = { value, id };
    while (from !== undefined && !this.#closed) {
      const start: RankKey = from;
      from = await this.#catalog.db.transaction().execute(async (transaction) => {
        let rank = await rankAt(transaction, order, RANK_LEVEL.leaf, start);
        for (let count = 0; count < SPLITS_PER_TRANSACTION; count += 1) {
          if (rank === undefined || rank.rows <= leaf.max) return undefined;
          rank = await split(transaction, order, RANK_LEVEL.leaf, rank, {
            key: await selectKeyAfter(transaction, order, rank, leaf.target),
            rows: leaf.target,
          });
        }
        return rank;
      });
    }
  }

  async #splitGroup(order: RankedOrder, { value, id }: RankKey): Promise<void> {
    const { group } = this.#sizes;
    let from: RankKey | undefined = { value, id };
    while (from !== undefined && !this.#closed) {
      const start: RankKey = from;
      from = await this.#catalog.db.transaction().execute(async (transaction) => {
        const rank = await rankAt(transaction, order, RANK_LEVEL.group, start);
        if (rank === undefined || rank.rows <= group.max) return undefined;
        const leaves = await selectRanksFrom(transaction, order, RANK_LEVEL.leaf, rank, LEAVES_LOOKED_AT);
        return split(transaction, order, RANK_LEVEL.group, rank, boundary(leaves, rank.rows, group.target));
      });
    }
  }

  /** Joins a separator that has become small with the one before it or, if it is the first, with the next. */
  async #join(order: RankedOrder, level: RankLevel, { min, target }: RankShape, key: RankKey): Promise<void> {
    if (this.#closed) return;
    await this.#catalog.db.transaction().execute(async (transaction) => {
      const [rank, next] = await selectRanksFrom(transaction, order, level, key, 2);
      if (rank === undefined || !sameKey(rank, key) || rank.rows >= min) return;
      const before = await selectRankBefore(transaction, order, level, key);
      for (const [left, right] of [
        [before, rank],
        [rank, next],
      ]) {
        if (left === undefined || right === undefined || left.rows + right.rows > target) continue;
        // A group begins where one of its leaves does.
        if (level === RANK_LEVEL.leaf && (await rankAt(transaction, order, RANK_LEVEL.group, right))) continue;
        await deleteRank(transaction, order, level, right);
        await setRankRows(transaction, order, level, { ...left, rows: left.rows + right.rows });
        return;
      }
    });
  }
}

/** Puts a separator at `at.key`, `at.rows` rows behind `rank`; resolves to it, or to undefined when there is no such place. */
async function split(
  transaction: Kysely<Database>,
  order: RankedOrder,
  level: RankLevel,
  rank: Rank,
  at: { readonly key: RankKey | undefined; readonly rows: number },
): Promise<Rank | undefined> {
  if (at.key === undefined) return undefined;
  const right = { ...at.key, rows: rank.rows - at.rows };
  await setRankRows(transaction, order, level, { ...rank, rows: at.rows });
  await insertRank(transaction, order, level, right);
  return right;
}

/** The first leaf that has `target` rows of the group before it; none when that is all of the group. */
function boundary(leaves: readonly Rank[], groupRows: number, target: number) {
  let rows = 0;
  for (const [index, leaf] of leaves.entries()) {
    if (index > 0 && rows >= target) return rows < groupRows ? { key: leaf, rows } : { key: undefined, rows };
    rows += leaf.rows;
  }
  return { key: undefined, rows };
}

async function rankAt(db: Kysely<Database>, order: RankedOrder, level: RankLevel, key: RankKey) {
  const [rank] = await selectRanksFrom(db, order, level, key, 1);
  return rank !== undefined && sameKey(rank, key) ? rank : undefined;
}

function sameKey(a: RankKey, b: RankKey): boolean {
  return a.value === b.value && a.id === b.id;
}
