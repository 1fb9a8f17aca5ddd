/**
 * What a stream may look like: the rules for the values of a create request, whatever carried it. Each refusal names
 * the member of the API that is wrong and what it must be.
 */
import { DomainError } from '../model/errors.ts';
import type { Limits } from '../model/limits.ts';
import { NAME_PATTERN, type DataType, type StreamType, type Tag } from '../model/stream.ts';

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
const TAG_KEY = /^[A-Za-z0-9_\-\u4e00-\u9fff]{1,36}$/;
const TAG_VALUE = /^[A-Za-z0-9_.\-\u4e00-\u9fff]{0,43}$/;
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
  checkAutoScale(settings);
  if (settings.dataSchema !== undefined) checkDataSchema(settings.dataSchema);
  checkTags(settings.tags, limits);
  for (const [index, { key, value }] of settings.sysTags.entries()) {
    if (key !== SYS_TAG_KEY) refuse(`sys_tags.${index}.key`, `must be ${SYS_TAG_KEY}`);
    if (!SYS_TAG_VALUE.test(value)) refuse(`sys_tags.${index}.value`, 'must be an enterprise project id');
  }
}

function checkRetention(hours: number | undefined, { min_retention_hours: min, max_retention_hours: max }: Limits) {
  if (hours !== undefined && (hours < min || hours > max)) refuse('data_duration', `must be from ${min} to ${max}`);
}

function checkAutoScale({ autoScaleMin: min, autoScaleMax: max }: StreamSettings): void {
  if (min !== undefined && min < 1) refuse('auto_scale_min_partition_count', 'must be at least 1');
  if (max !== undefined && max < (min ?? 1)) {
    refuse('auto_scale_max_partition_count', 'must be at least 1 and not below auto_scale_min_partition_count');
  }
}

/** Only that the text is JSON: the schema itself is applied by whatever converts records. */
function checkDataSchema(text: string): void {
  try {
    JSON.parse(text);
  } catch (error) {
    throw new DomainError('InvalidSchema', ['data_schema', 'must be JSON'], error);
  }
}

function checkTags(tags: readonly Tag[], { tags_per_stream: max }: Limits): void {
  if (tags.length > max) refuse('tags', `must be at most ${max}`);
  const keys = new Set<string>();
  for (const [index, { key, value }] of tags.entries()) {
    if (!TAG_KEY.test(key)) refuse(`tags.${index}.key`, 'must be 1 to 36 letters, digits, _ or -');
    if (!TAG_VALUE.test(value)) refuse(`tags.${index}.value`, 'must be up to 43 letters, digits, _, . or -');
    if (keys.has(key)) refuse(`tags.${index}.key`, 'must be unique');
    keys.add(key);
  }
}

function refuse(member: string, reason: string): never {
  throw new DomainError('InvalidBody', [member, reason]);
}
