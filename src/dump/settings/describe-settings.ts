/**
 * Settings as the show answer tells them (`obs_destination_description`). A request with these members makes the same
 * settings again. Members of the API are told as DIS tells them; those beyond it only where they are not the defaults.
 */
import { COMPRESSIONS, DEFAULTS, type DumpSettings, type RecordTimeSource } from './settings.ts';

export function describeSettings(settings: DumpSettings): Record<string, unknown> {
  const { fileType, compression } = settings;
  return {
    ...(settings.agencyName === undefined ? {} : { agency_name: settings.agencyName }),
    obs_bucket_path: settings.bucket,
    file_prefix: settings.prefix,
    partition_format: settings.partitionFormat,
    deliver_time_interval: settings.deliverSeconds,
    ...(settings.deliverMegabytes === undefined ? {} : { deliver_size_interval: settings.deliverMegabytes }),
    consumer_strategy: settings.consumerStrategy,
    destination_file_type: fileType,
    record_delimiter: settings.delimiter,
    retry_duration: settings.retrySeconds ?? 0,
    ...(compression === COMPRESSIONS[fileType][0] ? {} : { compression_format: compression }),
    ...(settings.recordTime === undefined ? {} : { processing_schema: describeRecordTime(settings.recordTime) }),
    ...describeBeyond(settings),
  };
}

function describeRecordTime({ field, format }: RecordTimeSource): Record<string, string> {
  return format === undefined
    ? { timestamp_name: field, timestamp_type: 'Timestamp' }
    : { timestamp_name: field, timestamp_type: 'String', timestamp_format: format };
}

function describeBeyond(settings: DumpSettings): Record<string, unknown> {
  const members: readonly (readonly [member: string, value: unknown, unset: unknown])[] = [
    ['csv_header', settings.csvHeader, DEFAULTS.csvHeader],
    ['data_schema', settings.ownSchema, DEFAULTS.ownSchema],
    ['time_zone', settings.timeZone, DEFAULTS.timeZone],
    ['path_template', settings.pathTemplate, DEFAULTS.pathTemplate],
    ['deliver_idle_interval', settings.idleSeconds, DEFAULTS.idleSeconds],
    ['merge_size', settings.mergeMegabytes, DEFAULTS.mergeMegabytes],
    ['manifest', settings.manifest, DEFAULTS.manifest],
    ['lateness_interval', settings.latenessSeconds, DEFAULTS.latenessSeconds],
    ['hold_retention', settings.holdRetention, DEFAULTS.holdRetention],
  ];
  return Object.fromEntries(members.flatMap(([member, value, unset]) => (value === unset ? [] : [[member, value]])));
}
