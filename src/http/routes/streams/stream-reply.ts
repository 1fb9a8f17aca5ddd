/** The members that every answer about a stream has. */
import type { Stream } from '../../../model/stream.ts';

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
