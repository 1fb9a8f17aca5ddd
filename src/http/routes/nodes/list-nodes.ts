/** GET /v1/nodes: who is there, and who does what. For administrators. */
import Type from 'typebox';
import type { NodeStatus } from '../../../cluster/cluster.ts';
import { singletonOf } from '../../../cluster/singletons.ts';
import { parseDumpLease } from '../../../dump/tasks/lease-names.ts';
import type { App } from '../../fastify-types.ts';
import type { Services } from '../../services.ts';

const Node = Type.Object({
  name: Type.String(),
  id: Type.String({ description: 'another one after each start' }),
  url: Type.String({ description: 'where it listens' }),
  version: Type.String(),
  start_time: Type.Integer({ description: 'ms' }),
  renew_time: Type.Integer({ description: 'when it last said that it lives, in ms' }),
  changes_behind: Type.Integer({ description: 'changes of other nodes that it has yet to take in' }),
  all_work: Type.Boolean({ description: 'it is the only node there can be' }),
  partitions: Type.Integer({ description: 'partitions of dump tasks that it delivers' }),
  tasks: Type.Integer({ description: 'dump tasks whose directories, merges, manifests and redrives it sees to' }),
  jobs: Type.Array(Type.String(), { description: 'what it alone does for all nodes' }),
});
const NodesReply = Type.Object({
  answered_by: Type.String({ description: 'id of the node that was asked' }),
  nodes: Type.Array(Node, { description: 'in order of name' }),
});

export function listNodesRoute(app: App, { cluster }: Services): void {
  app.get(
    '/v1/nodes',
    {
      config: { operation: 'listNodes', permission: 'server' },
      schema: { summary: 'Show the nodes and who does what', response: { 200: NodesReply } },
    },
    async () => ({ answered_by: cluster.nodeId, nodes: (await cluster.nodes()).map(toReply) }),
  );
}

function toReply({ name, id, url, version, startedAt, renewedAt, leases, changeSeen, changeLast }: NodeStatus) {
  const held = leases === 'all' ? [] : leases;
  const dump = held.flatMap((lease) => parseDumpLease(lease) ?? []);
  return {
    ...{ name, id, url, version },
    start_time: startedAt,
    renew_time: renewedAt,
    changes_behind: Math.max(0, changeLast - changeSeen),
    all_work: leases === 'all',
    partitions: dump.filter(({ partition }) => partition !== undefined).length,
    tasks: dump.filter(({ partition }) => partition === undefined).length,
    jobs: held.flatMap((lease) => singletonOf(lease) ?? []),
  };
}
