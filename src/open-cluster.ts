/** Joins the cluster that the configuration names; a server with an embedded catalog is alone. */
import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import type { Logger } from 'pino';
import type { Catalog } from './catalog/catalog.ts';
import { Alone } from './cluster/alone.ts';
import type { Cluster, NodeStatus } from './cluster/cluster.ts';
import type { Config } from './config.ts';
import { systemClock as clock } from './platform/clock.ts';
import { systemRandom as random } from './platform/random.ts';
import { readVersion } from './version.ts';

/** `url`: where this node listens, once it does. */
export async function openCluster(
  config: Config,
  { db }: Catalog,
  url: () => string,
  logger: Logger,
): Promise<Cluster> {
  const name = nodeName(config);
  const version = readVersion();
  if (config.postgres.url === undefined) {
    const startedAt = clock.now();
    const status = (): NodeStatus => {
      const now = clock.now();
      return {
        id: name,
        name,
        startedAt,
        renewedAt: now,
        version,
        url: url(),
        leases: 'all',
        changeSeen: 0,
        changeLast: 0,
      };
    };
    return new Alone({ nodeId: name, status });
  }
  const [{ joinPostgresCluster }, { connectionOf }] = await Promise.all([
    import('./cluster/postgres/postgres-cluster.ts'),
    import('./catalog/postgres/connection.ts'),
  ]);
  return joinPostgresCluster({
    ...{ db, name, version, url, clock, random },
    connection: await connectionOf({ ...config.postgres, url: config.postgres.url }, `sluice ${name}`),
    leaseMs: config.cluster.lease_seconds * 1000,
    onError: (error, what) => logger.warn({ err: error }, what),
  });
}

/** The same after a restart: one process at a time has a data directory. */
export function nodeName({ cluster, data_dir }: Config): string {
  return cluster.node_id ?? `${hostname()}-${createHash('sha256').update(data_dir).digest('hex').slice(0, 6)}`;
}
