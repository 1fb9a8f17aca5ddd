/** The local log keeps the contract of every record log. What crashes leave is tested in test/recordlog/. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeRecordLog } from '../../../test/support/record-log-contract.ts';
import { systemClock } from '../../platform/clock.ts';
import { nodeFileSystem } from '../../platform/file-system.ts';
import type { PartitionRef } from '../../model/stream.ts';
import type { RecordLog } from '../record-log.ts';
import { openLocalLog } from './local-log.ts';

describeRecordLog({
  name: 'the local log',
  measureTolerance: 0.05,
  open: async () => {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-log-'));
    const partitions: PartitionRef[] = [];
    const deletedStreams = new Set<number>();
    const open = () =>
      openLocalLog({
        directory,
        fileSystem: nodeFileSystem,
        clock: systemClock,
        partitions,
        deletedStreams,
        segmentBytes: 4 * 1024 * 1024,
        maxPendingBytes: 64 * 1024 * 1024,
        report: () => undefined,
      });
    let current = await open();
    // One process at a time has the folder open: a log that is opened anew takes the place of the one before.
    const log: RecordLog = {
      get failure() {
        return current.failure;
      },
      addPartitions: (refs) => {
        partitions.push(...refs);
        return current.addPartitions(refs);
      },
      deleteStream: (stream) => {
        deletedStreams.add(stream);
        return current.deleteStream(stream);
      },
      append: (batches) => current.append(batches),
      bounds: (ref) => current.bounds(ref),
      boundsOf: (refs) => current.boundsOf(refs),
      read: (ref, from, maxBytes, options) => current.read(ref, from, maxBytes, options),
      arrivalTime: (ref, sequence) => current.arrivalTime(ref, sequence),
      seek: (ref, time) => current.seek(ref, time),
      measure: (ref, from, maxBytes) => current.measure(ref, from, maxBytes),
      trim: (ref, before) => current.trim(ref, before),
      keepFor: (stream, ms) => current.keepFor(stream, ms),
      close: () => current.close(),
    };
    return {
      log,
      reopen: async () => {
        await current.close();
        current = await open();
        return log;
      },
      close: async () => {
        await current.close();
        await rm(directory, { recursive: true, force: true });
      },
    };
  },
});
