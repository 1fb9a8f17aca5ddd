/** What the routes work with: handed to them once, by the composition root, and to nobody through fastify itself. */
import type { LoginContext } from '../auth/login.ts';
import type { RequestSignatures } from '../auth/signature/signatures.ts';
import type { Tokens } from '../auth/tokens.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { DumpEngine } from '../dump/engine.ts';
import type { Limits } from '../model/limits.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import type { BufferPool } from '../platform/buffer-pool.ts';
import type { Clock } from '../platform/clock.ts';
import type { Random } from '../platform/random.ts';
import type { RecordLog } from '../recordlog/record-log.ts';
import type { CursorCodec } from '../streams/cursor.ts';
import type { StreamChanges } from '../streams/stream-changes.ts';
import type { StreamDeletedHook } from '../streams/delete-stream.ts';
import type { StreamRegistry } from '../streams/stream-registry.ts';
import type { Throttle } from '../streams/throttle.ts';

export interface Services {
  readonly tokens: Tokens;
  readonly signatures: RequestSignatures;
  readonly login: LoginContext;
  readonly catalog: Catalog;
  readonly recordLog: RecordLog;
  readonly registry: StreamRegistry;
  readonly streamChanges: StreamChanges;
  readonly cursors: CursorCodec;
  /** Present when the cloud service's throughput is imitated. */
  readonly throttle: Throttle | undefined;
  readonly objectStore: ObjectStore;
  readonly dumpEngine: DumpEngine;
  /** Seconds: the lowest deliver_time_interval taken. */
  readonly minDeliverInterval: number;
  readonly limits: Limits;
  readonly buffers: BufferPool;
  readonly clock: Clock;
  readonly random: Random;
  readonly onStreamDeleted: readonly StreamDeletedHook[];
}
