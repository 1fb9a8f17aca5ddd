/**
 * Makes settings of a create or update request, whatever carried it. Each refusal names the member of the API that is
 * wrong and what it must be. A setting that is taken is followed: one that could have no effect is refused.
 */
import { DomainError } from '../../model/errors.ts';
import type { Limits } from '../../model/limits.ts';
import { NAME_PATTERN } from '../../model/stream.ts';
import { zoneName } from '../paths/time-zone.ts';
import { checkSettings } from './settings-rules.ts';
import {
  COMPRESSIONS,
  CONSUMER_STRATEGIES,
  DEFAULTS,
  DELIVER_DATA_TYPE,
  DESTINATION_TYPE,
  FILE_TYPES,
  PARTITION_FORMATS,
  TIMESTAMP_FORMATS,
  TIMESTAMP_TYPES,
  type Compression,
  type ConsumerStrategy,
  type DumpDescriptor,
  type DumpSettings,
  type FileType,
  type RecordForm,
  type RecordTimeSource,
} from './settings.ts';

export interface SettingsLimits {
  readonly limits: Limits;
  /** Seconds: the lowest deliver_time_interval taken. */
  readonly minDeliverInterval: number;
}

const DEFAULT_DELIVER_SECONDS = 300;
const MAX_AGENCY_CHARACTERS = 64;
/** As the API has it for its other destinations. */
const MAX_RETRY_SECONDS = 7200;
const MAX_FIELD_CHARACTERS = 256;
const MAX_MERGE_MEGABYTES = 1024;
const MAX_LATENESS_SECONDS = 86_400;
const NAME = new RegExp(NAME_PATTERN);
/** Names of letters, digits and _, separated by single slashes; one more slash may end it. */
const PREFIX = /^(?:[A-Za-z0-9_]+(?:\/[A-Za-z0-9_]+)*\/?)?$/;
const DELIMITERS: Readonly<Record<string, string>> = { ',': ',', ';': ';', '|': '|', '\n': '\n', '': '', NULL: '' };

/** The task's name. Throws InvalidBody. */
export function parseTaskName({ task_name: name }: DumpDescriptor, limits: Limits): string {
  if (!NAME.test(name) || name.length > limits.task_name_length) {
    refuse('task_name', `must be 1 to ${limits.task_name_length} letters, digits, _ or -`);
  }
  return name;
}

/**
 * The settings of a request. `stream` is the form that the stream gives its records, `strategy` what an absent
 * consumer_strategy means. Throws InvalidBody for a value that breaks a rule, InvalidSchema, and UnsupportedDestination for
 * a form of files that there is not, or not for such records.
 */
export function parseSettings(
  descriptor: DumpDescriptor,
  { limits, minDeliverInterval }: SettingsLimits,
  stream: RecordForm,
  strategy: ConsumerStrategy = 'LATEST',
): DumpSettings {
  supported('destination_type', [DESTINATION_TYPE], descriptor.destination_type);
  supported('deliver_data_type', [DELIVER_DATA_TYPE], descriptor.deliver_data_type);
  const fileType = supported('destination_file_type', FILE_TYPES, descriptor.destination_file_type);
  const ownSchema = descriptor.data_schema || undefined;
  const deliverSeconds = within(
    'deliver_time_interval',
    descriptor.deliver_time_interval ?? Math.max(DEFAULT_DELIVER_SECONDS, minDeliverInterval),
    minDeliverInterval,
    limits.max_deliver_interval,
  );
  const settings: DumpSettings = {
    agencyName: parseAgency(descriptor.agency_name),
    bucket: descriptor.obs_bucket_path || refuse('obs_bucket_path', 'must name a bucket'),
    prefix: parsePrefix(descriptor.file_prefix ?? '', limits),
    partitionFormat: oneOf('partition_format', PARTITION_FORMATS, descriptor.partition_format ?? ''),
    deliverSeconds,
    deliverMegabytes: optionalWithin(
      'deliver_size_interval',
      descriptor.deliver_size_interval,
      limits.min_deliver_megabytes,
      limits.max_deliver_megabytes,
    ),
    delimiter: parseDelimiter(descriptor.record_delimiter ?? '\n'),
    fileType,
    compression: parseCompression(fileType, descriptor.compression_format),
    csvHeader: descriptor.csv_header ?? DEFAULTS.csvHeader,
    form: ownSchema === undefined ? stream : { ...stream, dataSchema: ownSchema },
    ownSchema,
    recordTime: parseRecordTime(descriptor.processing_schema),
    timeZone: parseTimeZone(descriptor.time_zone),
    pathTemplate: descriptor.path_template || undefined,
    idleSeconds: optionalWithin('deliver_idle_interval', descriptor.deliver_idle_interval, 1, deliverSeconds),
    mergeMegabytes: optionalWithin('merge_size', descriptor.merge_size, 1, MAX_MERGE_MEGABYTES),
    manifest: descriptor.manifest ?? DEFAULTS.manifest,
    latenessSeconds: within(
      'lateness_interval',
      descriptor.lateness_interval ?? DEFAULTS.latenessSeconds,
      0,
      MAX_LATENESS_SECONDS,
    ),
    holdRetention: descriptor.hold_retention ?? DEFAULTS.holdRetention,
    consumerStrategy: oneOf('consumer_strategy', CONSUMER_STRATEGIES, descriptor.consumer_strategy || strategy),
    retrySeconds: parseRetry(descriptor.retry_duration ?? 0),
  };
  checkSettings(settings);
  return settings;
}

function parseAgency(name: string | null | undefined): string | undefined {
  if (name == null || name === '') return undefined;
  return name.length <= MAX_AGENCY_CHARACTERS
    ? name
    : refuse('agency_name', `must be at most ${MAX_AGENCY_CHARACTERS} characters`);
}

function parsePrefix(prefix: string, { file_prefix_length: max }: Limits): string {
  if (prefix.length > max) refuse('file_prefix', `must be at most ${max} characters`);
  if (!PREFIX.test(prefix)) refuse('file_prefix', 'must be letters, digits and _ between single slashes');
  return prefix;
}

function parseDelimiter(given: string): string {
  const delimiter = Object.hasOwn(DELIMITERS, given) ? DELIMITERS[given] : undefined;
  return delimiter ?? refuse('record_delimiter', 'must be one of , ; | \\n NULL or empty');
}

function parseCompression(fileType: FileType, given: string | null | undefined): Compression {
  const values = COMPRESSIONS[fileType];
  const value = given ? values.find((candidate) => candidate === given) : values[0];
  if (value !== undefined) return value;
  const why = `${fileType} files can have ${values.join(', ')}`;
  throw new DomainError('UnsupportedDestination', ['compression_format', shorten(given ?? ''), why]);
}

/** A schema of which no member says anything is none, as clients send it. */
function parseRecordTime(given: DumpDescriptor['processing_schema']): RecordTimeSource | undefined {
  const { timestamp_name: field, timestamp_type: type, timestamp_format: format } = given ?? {};
  if (!field && !type && !format) return undefined;
  if (!field || field.length > MAX_FIELD_CHARACTERS || field.split('.').includes('')) {
    return refuse(
      'processing_schema.timestamp_name',
      `must name a member in at most ${MAX_FIELD_CHARACTERS} characters, with dots into nested ones`,
    );
  }
  if (oneOf('processing_schema.timestamp_type', TIMESTAMP_TYPES, type ?? '') === 'String') {
    return { field, format: oneOf('processing_schema.timestamp_format', TIMESTAMP_FORMATS, format ?? '') };
  }
  if (format) refuse('processing_schema.timestamp_format', 'is for the timestamp_type String');
  return { field, format: undefined };
}

function parseTimeZone(given: string | null | undefined): string {
  if (!given) return DEFAULTS.timeZone;
  return zoneName(given) ?? refuse('time_zone', 'must be a name of the IANA time zone database, such as Asia/Shanghai');
}

function parseRetry(given: string | number): number | undefined {
  const seconds = typeof given === 'number' ? given : /^\d{0,6}$/.test(given) ? Number(given) : Number.NaN;
  return within('retry_duration', seconds, 0, MAX_RETRY_SECONDS) || undefined;
}

function optionalWithin(
  member: string,
  value: number | null | undefined,
  min: number,
  max: number,
): number | undefined {
  return value == null ? undefined : within(member, value, min, max);
}

function within(member: string, value: number, min: number, max: number): number {
  const good = Number.isInteger(value) && value >= min && value <= max;
  return good ? value : refuse(member, `must be a whole number from ${min} to ${max}`);
}

function oneOf<T extends string>(member: string, values: readonly T[], given: string): T {
  const value = values.find((candidate) => candidate === given);
  return value ?? refuse(member, `must be one of ${values.filter(Boolean).join(', ')}`);
}

/** What the API knows and Sluice does not do: of `values` the first is what nothing means. */
function supported<T extends string>(
  member: string,
  values: readonly [T, ...T[]],
  given: string | null | undefined,
): T {
  const value = given ? values.find((candidate) => candidate === given) : values[0];
  if (value === undefined) throw new DomainError('UnsupportedDestination', [member, shorten(given ?? '')]);
  return value;
}

function shorten(text: string): string {
  return text.slice(0, 64);
}

function refuse(member: string, reason: string): never {
  throw new DomainError('InvalidBody', [member, reason]);
}
