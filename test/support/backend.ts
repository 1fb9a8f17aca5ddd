/**
 * What the black-box tests run against. As a rule that is one process with everything embedded; when
 * SLUICE_TEST_BACKEND=cluster it is SLUICE_TEST_NODES processes (1) behind a balancer, with the Kafka of
 * SLUICE_TEST_KAFKA and the PostgreSQL of SLUICE_TEST_POSTGRES_URL, which `npm run test:cluster` starts.
 */
import { randomBytes } from 'node:crypto';

const { SLUICE_TEST_BACKEND, SLUICE_TEST_NODES, SLUICE_TEST_KAFKA, SLUICE_TEST_POSTGRES_URL } = process.env;

export const ON_CLUSTER = SLUICE_TEST_BACKEND === 'cluster';
export const NODES = Number(SLUICE_TEST_NODES ?? 1);

export interface ClusterBackend {
  /** Of every node of one installation: a database and topics of its own. */
  readonly env: Readonly<Record<string, string>>;
  /** Drops the database. Topics stay until Kafka is stopped. */
  drop(): Promise<void>;
}

export async function makeClusterBackend(): Promise<ClusterBackend> {
  if (SLUICE_TEST_KAFKA === undefined || SLUICE_TEST_POSTGRES_URL === undefined) {
    throw new Error('SLUICE_TEST_KAFKA and SLUICE_TEST_POSTGRES_URL must be set: see test/support/backend.ts');
  }
  const name = `sluice_${randomBytes(6).toString('hex')}`;
  await onServer(SLUICE_TEST_POSTGRES_URL, `create database ${name}`);
  const url = new URL(SLUICE_TEST_POSTGRES_URL);
  url.pathname = `/${name}`;
  return {
    env: {
      SLUICE_KAFKA_BROKERS: SLUICE_TEST_KAFKA,
      SLUICE_KAFKA_TOPIC_PREFIX: `${name}-`,
      SLUICE_POSTGRES_URL: url.href,
      // Many small installations share one server.
      SLUICE_POSTGRES_POOL_SIZE: '4',
      SLUICE_CLUSTER_LEASE_SECONDS: '5',
    },
    drop: () => onServer(SLUICE_TEST_POSTGRES_URL, `drop database if exists ${name} with (force)`),
  };
}

async function onServer(connectionString: string, statement: string): Promise<void> {
  const { Client } = await import('pg');
  const client = new Client({ connectionString });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
