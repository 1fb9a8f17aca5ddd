/**
 * What a stream may look like: the rules for the values of a create request, whatever carried it. Each refusal names
 * the member of the API that is wrong and what it must be.
 */
import { DomainError } from '../model/errors.ts';
import type { Limits } from '../model/limits.ts';
import { NAME_PATTERN, type DataType, type StreamType, type Tag } from '../model/stream.ts';
import { checkTags } from './tags.ts';

export const COMPRESSION_FORMATS = ['snappy', 'gzip', 'zip'] as const;
export type CompressionFormat = (typeof COMPRESSION_FORMATS)[number];

/** Undefined members take the defaults of the API. */
export interface StreamSettings {
  readonly name: string;
  readonly partitionCount: number;
  readonly type: StreamType | undefined;
  readonly dataType: DataType | undefined;
  readonly retentionHours: number | undefined;
  readonly dataSchema: string | undefined;
  readonly csvDelimiter: string | undefined;
  readonly compressionFormat: CompressionFormat | undefined;
  readonly autoScaleEnabled: boolean | undefined;
  readonly autoScaleMin: number | undefined;
  readonly autoScaleMax: number | undefined;
  readonly tags: readonly Tag[];
  readonly sysTags: readonly Tag[];
}

const NAME = new RegExp(NAME_PATTERN);
const SYS_TAG_KEY = '_sys_enterprise_project_id';
/** A UUID, or `0`, the default enterprise project. */
const SYS_TAG_VALUE = /^(?:0|[0-9A-Fa-f-]{36})$/;

/** Throws InvalidBody or InvalidSchema for the first rule that is broken. Quotas are not looked at. */
export function checkStreamSettings(settings: StreamSettings, limits: Limits): void {
  if (!NAME.test(settings.name) || settings.name.length > limits.stream_name_length) {
    refuse('stream_name', `must be 1 to ${limits.stream_name_length} letters, digits, _ or -`);
  }
  if (settings.partitionCount < 1) refuse('partition_count', 'must be at least 1');
  checkRetention(settings.retentionHours, limits);
  checkAutoScale(settings.autoScaleMin, settings.autoScaleMax);
  if (settings.dataSchema !== undefined) checkDataSchema(settings.dataSchema);
  if (settings.tags.length > limits.tags_per_stream) refuse('tags', `must be at most ${limits.tags_per_stream}`);
  checkTags(settings.tags);
  for (const [index, { key, value }] of settings.sysTags.entries()) {
    if (key !== SYS_TAG_KEY) refuse(`sys_tags.${index}.key`, `must be ${SYS_TAG_KEY}`);
    if (!SYS_TAG_VALUE.test(value)) refuse(`sys_tags.${index}.value`, 'must be an enterprise project id');
  }
}

/** Throws InvalidBody. */
export function checkRetention(
  hours: number | undefined,
  { min_retention_hours: min, max_retention_hours: max }: Limits,
): void {
  if (hours !== undefined && (hours < min || hours > max)) refuse('data_duration', `must be from ${min} to ${max}`);
}

/** Throws InvalidBody. */
export function checkAutoScale(min: number | undefined, max: number | undefined): void {
  if (min !== undefined && min < 1) refuse('auto_scale_min_partition_count', 'must be at least 1');
  if (max !== undefined && max < (min ?? 1)) {
    refuse('auto_scale_max_partition_count', 'must be at least 1 and not below auto_scale_min_partition_count');
  }
}

/** Throws InvalidSchema. Only whether the text is JSON: the schema itself is applied by whatever converts records. */
export function checkDataSchema(text: string): void {
  try {
    JSON.parse(text);
  } catch (error) {
    throw new DomainError('InvalidSchema', ['data_schema', 'must be JSON'], error);
  }
}

function refuse(member: string, reason: string): never {
  throw new DomainError('InvalidBody', [member, reason]);
}
