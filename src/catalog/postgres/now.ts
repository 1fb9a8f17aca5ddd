import { sql } from 'kysely';

/** The time in ms by PostgreSQL's clock, which is the same for all nodes; it goes on within a transaction. */
export const POSTGRES_NOW = sql<number>`cast(extract(epoch from clock_timestamp()) * 1000 as bigint)`;
