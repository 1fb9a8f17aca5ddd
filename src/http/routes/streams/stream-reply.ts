/** What several answers about streams have in common. */
import type { ScalingEvent, Stream } from '../../../model/stream.ts';

/** The members that every answer about a stream has. */
export function streamSummary(stream: Stream) {
  return {
    stream_id: stream.id,
    stream_name: stream.name,
    create_time: stream.createdAt,
    retention_period: stream.retentionHours,
    status: 'RUNNING',
    stream_type: stream.type,
    data_type: stream.dataType,
    auto_scale_enabled: stream.autoScale.enabled,
    auto_scale_min_partition_count: stream.autoScale.min ?? 0,
    auto_scale_max_partition_count: stream.autoScale.max ?? 0,
    tags: stream.tags,
    sys_tags: stream.sysTags,
  };
}

/**
 * One change of the number of partitions, or a failed try at it. Without `result_msg`: the Python SDK v3 fails on a text
 * there, the Java SDK reads a text, and neither misses it.
 */
export function scalingReply({ at, from, to, succeeded, automatic }: ScalingEvent) {
  return {
    create_timestamp: at,
    src_partition_count: from,
    target_partition_count: to,
    result_code: succeeded ? 1 : 0,
    auto_scale: automatic,
  };
}
