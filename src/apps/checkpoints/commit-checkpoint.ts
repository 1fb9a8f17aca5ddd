/** Commits a checkpoint: how far an app has come in a partition. */
import { DomainError } from '../../model/errors.ts';
import type { Principal } from '../../model/principal.ts';
import { findPartition } from '../../streams/partition-status.ts';
import { findStream, type StreamName } from '../../streams/stream-access.ts';
import { validBounds } from '../../streams/valid-bounds.ts';
import type { AppServices } from '../app-services.ts';

export interface CommitRequest {
  readonly caller: Principal;
  readonly appName: string;
  readonly stream: StreamName;
  readonly partitionId: string;
  /** Decimal text. */
  readonly sequenceNumber: string;
  readonly metadata: string;
  /** Set: the commit is that of a member of the group, and refused when the partition is not the member's. */
  readonly clientId: string | undefined;
  readonly generation: number | undefined;
}

type Services = Pick<AppServices, 'apps' | 'checkpoints' | 'registry' | 'recordLog' | 'clock' | 'limits'>;

const LARGEST_SEQUENCE = 2n ** 63n - 1n;

/**
 * Resolves once it is durable. The number is taken from the oldest valid record to the next one to be written, both
 * inclusive: some clients commit the last number that they have read, others the next one to read. Throws AppNotFound,
 * StreamNotFound, InvalidPartitionId, PartitionNotFound, PartitionExpired, InvalidBody, SequenceNumberOutOfRange, and for
 * a member MemberGone, GroupRebalancing and GenerationMismatch.
 */
export async function commitCheckpoint(services: Services, request: CommitRequest): Promise<void> {
  const { apps, registry, recordLog, clock, limits, checkpoints } = services;
  const { caller, metadata, clientId, generation } = request;
  const app = apps.require(caller.projectId, request.appName);
  const stream = findStream(registry, caller, request.stream, 'getRecords');
  const { ref } = findPartition(stream, request.partitionId, clock.now());
  const wanted = parseSequence(request.sequenceNumber);
  const longest = limits.checkpoint_metadata_length;
  if (metadata.length > longest) {
    throw new DomainError('InvalidBody', ['metadata', `must have at most ${longest} characters`]);
  }
  const { first, next } = await validBounds(recordLog, clock, stream, ref);
  if (wanted < first || wanted > next) {
    throw new DomainError('SequenceNumberOutOfRange', [String(wanted), ' should be within ', first, ' ', next]);
  }
  const member = clientId === undefined ? undefined : { clientId, generation };
  await checkpoints.commit({ app, stream, ref, sequence: Number(wanted), metadata, member });
}

function parseSequence(text: string): bigint {
  if (!/^\d{1,19}$/.test(text) || BigInt(text) > LARGEST_SEQUENCE) {
    throw new DomainError('InvalidBody', ['sequence_number', text.slice(0, 64)]);
  }
  return BigInt(text);
}
