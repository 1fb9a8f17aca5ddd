/** Joins the cluster that the configuration names; a server with an embedded catalog is alone. */
import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import type { Logger } from 'pino';
import type { Catalog } from './catalog/catalog.ts';
import { Alone } from './cluster/alone.ts';
import type { Cluster, NodeStatus } from './cluster/cluster.ts';
import type { Config } from './config.ts';
import { systemClock as clock } from './platform/clock.ts';
import { pause } from './platform/pause.ts';
import { systemRandom as random } from './platform/random.ts';
import { readVersion } from './version.ts';

/** Another node has the catalog; the message says which. */
export class ClusterError extends Error {
  override readonly name = 'ClusterError';
}

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
        leases: 0,
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
function nodeName({ cluster, data_dir }: Config): string {
  return cluster.node_id ?? `${hostname()}-${createHash('sha256').update(data_dir).digest('hex').slice(0, 6)}`;
}

/**
 * Dump work and streams are not shared between nodes yet. Waits as long as a dead node may look alive. Throws ClusterError
 * when another node is there for longer.
 */
export async function requireSoleNode(cluster: Cluster, { cluster: { lease_seconds } }: Config): Promise<void> {
  for (const end = clock.monotonic() + lease_seconds * 1000 + 1000; ; await pause(clock, 500)) {
    const other = (await cluster.nodes()).find(({ id }) => id !== cluster.nodeId);
    if (other === undefined) return;
    if (clock.monotonic() > end) {
      throw new ClusterError(
        `node ${other.name} (${other.url}) has this catalog; this version runs one node at a time`,
      );
    }
  }
}
