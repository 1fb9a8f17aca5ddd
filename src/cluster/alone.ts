/** Stand-in until the real one is there. */
import { Lane } from '../platform/lane.ts';
import type { Cluster } from './cluster.ts';

export function alone(): Cluster {
  const lanes = new Map<string, Lane>();
  return {
    nodeId: 'alone',
    current: true,
    follow: () => undefined,
    announce: async () => undefined,
    announceIn: async () => 0,
    settled: async () => undefined,
    async exclusive(name, job) {
      let lane = lanes.get(name);
      if (lane === undefined) lanes.set(name, (lane = new Lane()));
      try {
        return await lane.run(job);
      } finally {
        if (lane.jobs === 0) lanes.delete(name);
      }
    },
    close: async () => undefined,
  };
}
