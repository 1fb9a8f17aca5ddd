/** Stand-in until the real one is there. */
import type { Kysely } from 'kysely';
import type { Database } from '../catalog/schema.ts';

export interface Change {
  readonly kind: 'stream' | 'app' | 'task' | 'project' | 'metrics';
  readonly key: string;
}

export type Announced = number;

export interface Cluster {
  readonly nodeId: string;
  readonly current: boolean;
  follow(take: (changes: readonly Change[] | 'all') => Promise<void>): void;
  announce(change: Change): Promise<void>;
  announceIn(transaction: Kysely<Database>, change: Change): Promise<Announced>;
  settled(announced: Announced): Promise<void>;
  exclusive<T>(name: string, job: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}
