/** Hands what other nodes announce to those who keep it in memory. */
import type { Change } from './cluster/cluster.ts';
import type { CatchUp } from './platform/catch-up.ts';

export interface ChangeTakers {
  /** By number. */
  readonly streams: CatchUp<number>;
  /** By id. */
  readonly apps: CatchUp<string>;
  /** By id. They look at their streams, which are read before them. */
  readonly tasks: CatchUp<string>;
  /** Stores what this node has counted. */
  readonly storeMetrics: () => Promise<void>;
  readonly onError: (error: unknown) => void;
}

/**
 * For Cluster.follow. Never rejects: a node that cannot read what has changed knows that its memory is old (see
 * CatchUp.current), answers nobody until it has, and holds up none of the others.
 */
export function takeChanges({ streams, apps, tasks, storeMetrics, onError }: ChangeTakers) {
  return async (changes: readonly Change[] | 'all'): Promise<void> => {
    const keysOf = (kind: Change['kind']) => {
      if (changes === 'all') return 'all';
      return [...new Set(changes.filter((change) => change.kind === kind).map(({ key }) => key))];
    };
    const jobs: Promise<void>[] = [];
    const streamKeys = keysOf('stream');
    if (streamKeys.length > 0) jobs.push(streams.read(streamKeys === 'all' ? 'all' : streamKeys.map(Number)));
    const appKeys = keysOf('app');
    if (appKeys.length > 0) jobs.push(apps.read(appKeys));
    if (changes !== 'all' && keysOf('metrics').length > 0) jobs.push(storeMetrics());
    const settle = async () => {
      for (const result of await Promise.allSettled(jobs.splice(0)))
        if (result.status === 'rejected') onError(result.reason);
    };
    await settle();
    const taskKeys = keysOf('task');
    if (taskKeys.length > 0) jobs.push(tasks.read(taskKeys));
    await settle();
  };
}
