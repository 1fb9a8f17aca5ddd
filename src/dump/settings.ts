/**
 * What a dump task delivers and how: the rules for the values of a create or update request, whatever carried it, and
 * the form in which each version of a task keeps them. Each refusal names the member of the API that is wrong and what
 * it must be.
 */
import { DomainError } from '../model/errors.ts';
import type { Limits } from '../model/limits.ts';
import { NAME_PATTERN, type DataType } from '../model/stream.ts';

export const PARTITION_FORMATS = ['', 'yyyy', 'yyyy/MM', 'yyyy/MM/dd', 'yyyy/MM/dd/HH', 'yyyy/MM/dd/HH/mm'] as const;
export type PartitionFormat = (typeof PARTITION_FORMATS)[number];

export const CONSUMER_STRATEGIES = ['LATEST', 'TRIM_HORIZON'] as const;
export type ConsumerStrategy = (typeof CONSUMER_STRATEGIES)[number];

/** The destination of every task; the others of the API are refused. */
export const DESTINATION_TYPE = 'OBS';

export const FILE_TYPES = ['text', 'csv', 'parquet'] as const;
export type FileType = (typeof FILE_TYPES)[number];

/** snappy: Parquet only. */
export const COMPRESSIONS = ['none', 'gzip', 'zstd', 'snappy'] as const;
export type Compression = (typeof COMPRESSIONS)[number];

export const TIMESTAMP_FORMATS = [
  'yyyy/MM/dd HH:mm:ss',
  'MM/dd/yyyy HH:mm:ss',
  'dd/MM/yyyy HH:mm:ss',
  'yyyy-MM-dd HH:mm:ss',
  'MM-dd-yyyy HH:mm:ss',
  'dd-MM-yyyy HH:mm:ss',
] as const;
export type TimestampFormat = (typeof TIMESTAMP_FORMATS)[number];

/** Where the time of a record stands (`processing_schema`). */
export interface RecordTimeSource {
  /** Name of the member; dots lead into nested ones. */
  readonly field: string;
  /** Undefined: a number, or 13 digits, of milliseconds since 1970. */
  readonly format: TimestampFormat | undefined;
}

/** What the records are and what is said of their members: the stream's, or the task's own. Part of a version. */
export interface RecordForm {
  readonly dataType: DataType;
  /** Avro schema text; undefined: columns are inferred where they are needed. */
  readonly dataSchema: string | undefined;
  readonly csvDelimiter: string;
}

/** One version of a task's settings, with the defaults of the API filled in. */
export interface DumpSettings {
  /** Echoed, never used: access to the store is configured for the server. */
  readonly agencyName: string | undefined;
  readonly bucket: string;
  /** As given: no leading slash, perhaps a trailing one. */
  readonly prefix: string;
  readonly partitionFormat: PartitionFormat;
  /** Seconds after which a file is cut if there are records. */
  readonly deliverSeconds: number;
  /** MB (of 2^20 bytes) after which a file is cut earlier. */
  readonly deliverMegabytes: number | undefined;
  /** What follows every record; empty for nothing. */
  readonly delimiter: string;
  readonly fileType: FileType;
  readonly compression: Compression;
  /** CSV files only: whether the first line names the columns. */
  readonly csvHeader: boolean;
  readonly form: RecordForm;
  /** The task's own `data_schema`; undefined: it follows the stream's. */
  readonly ownSchema: string | undefined;
  /** Time directories are those of the record itself; undefined: of the plan, or of the arrival in a template. */
  readonly recordTime: RecordTimeSource | undefined;
  /** IANA name of the zone in which times are read and directories named. */
  readonly timeZone: string;
  /** Directories by members and times of the record (paths/path-template.ts), instead of partitionFormat. */
  readonly pathTemplate: string | undefined;
  /** Seconds without a new record after which a file is cut earlier. */
  readonly idleSeconds: number | undefined;
  /** Files of a complete time directory are merged into files of about this many MB; undefined: they stay as they are. */
  readonly mergeMegabytes: number | undefined;
  /** Whether each complete time directory is told by a manifest object. */
  readonly manifest: boolean;
  /** Seconds after the end of a time directory for which records that belong into it are waited for. */
  readonly latenessSeconds: number;
  /** Whether records of the stream are kept beyond its retention until the task has delivered them. */
  readonly holdRetention: boolean;
  readonly consumerStrategy: ConsumerStrategy;
  /** Seconds after its first failure at which a file is given up; undefined for never. */
  readonly retrySeconds: number | undefined;
}

/** The members of `obs_destination_descriptor`, and `destination_type` beside it; null says nothing, as absent does. */
export interface DumpDescriptor {
  readonly destination_type?: string | null;
  readonly task_name: string;
  readonly agency_name?: string | null;
  readonly obs_bucket_path: string;
  readonly file_prefix?: string | null;
  readonly partition_format?: string | null;
  readonly deliver_time_interval?: number | null;
  readonly deliver_size_interval?: number | null;
  readonly record_delimiter?: string | null;
  readonly destination_file_type?: string | null;
  readonly consumer_strategy?: string | null;
  readonly retry_duration?: string | number | null;
  readonly deliver_data_type?: string | null;
  readonly compression_format?: string | null;
  readonly processing_schema?: {
    readonly timestamp_name?: string | null;
    readonly timestamp_type?: string | null;
    readonly timestamp_format?: string | null;
  } | null;
  // Beyond the API from here on.
  readonly csv_header?: boolean | null;
  readonly data_schema?: string | null;
  readonly time_zone?: string | null;
  readonly path_template?: string | null;
  readonly deliver_idle_interval?: number | null;
  readonly merge_size?: number | null;
  readonly manifest?: boolean | null;
  readonly lateness_interval?: number | null;
  readonly hold_retention?: boolean | null;
}

export interface SettingsLimits {
  readonly limits: Limits;
  /** Seconds: the lowest deliver_time_interval taken. */
  readonly minDeliverInterval: number;
}

/** What a version says that is older than these members. */
const UNSET = {
  fileType: 'text',
  compression: 'none',
  csvHeader: true,
  form: { dataType: 'BLOB', dataSchema: undefined, csvDelimiter: ',' },
  ownSchema: undefined,
  recordTime: undefined,
  timeZone: 'UTC',
  pathTemplate: undefined,
  idleSeconds: undefined,
  mergeMegabytes: undefined,
  manifest: false,
  latenessSeconds: 0,
  holdRetention: false,
} as const satisfies Partial<DumpSettings>;

const DEFAULT_DELIVER_SECONDS = 300;
const MAX_AGENCY_CHARACTERS = 64;
/** As the API has it for its other destinations. */
const MAX_RETRY_SECONDS = 7200;
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
 * The settings of a request. `strategy` is what an absent consumer_strategy means. Throws InvalidBody for a value that
 * breaks a rule and UnsupportedDestination for what the API knows and Sluice does not do.
 */
export function parseSettings(
  descriptor: DumpDescriptor,
  { limits, minDeliverInterval }: SettingsLimits,
  strategy: ConsumerStrategy = 'LATEST',
): DumpSettings {
  refuseUnsupported(descriptor);
  return {
    agencyName: parseAgency(descriptor.agency_name),
    bucket: descriptor.obs_bucket_path || refuse('obs_bucket_path', 'must name a bucket'),
    prefix: parsePrefix(descriptor.file_prefix ?? '', limits),
    partitionFormat: oneOf('partition_format', PARTITION_FORMATS, descriptor.partition_format ?? ''),
    deliverSeconds: within(
      'deliver_time_interval',
      descriptor.deliver_time_interval ?? Math.max(DEFAULT_DELIVER_SECONDS, minDeliverInterval),
      minDeliverInterval,
      limits.max_deliver_interval,
    ),
    deliverMegabytes:
      descriptor.deliver_size_interval == null
        ? undefined
        : within(
            'deliver_size_interval',
            descriptor.deliver_size_interval,
            limits.min_deliver_megabytes,
            limits.max_deliver_megabytes,
          ),
    delimiter: parseDelimiter(descriptor.record_delimiter ?? '\n'),
    ...UNSET,
    consumerStrategy: oneOf('consumer_strategy', CONSUMER_STRATEGIES, descriptor.consumer_strategy || strategy),
    retrySeconds: parseRetry(descriptor.retry_duration ?? 0),
  };
}

/** As a row of dump_task_versions keeps it. */
export function stringifySettings(settings: DumpSettings): string {
  return JSON.stringify(settings);
}

/** Reads back what `stringifySettings` wrote. */
export function parseStoredSettings(text: string): DumpSettings {
  return { ...UNSET, ...(JSON.parse(text) as DumpSettings) };
}

/** `obs_destination_description` of the show answer. */
export function describeSettings(settings: DumpSettings): Record<string, unknown> {
  return {
    ...(settings.agencyName === undefined ? {} : { agency_name: settings.agencyName }),
    obs_bucket_path: settings.bucket,
    file_prefix: settings.prefix,
    partition_format: settings.partitionFormat,
    deliver_time_interval: settings.deliverSeconds,
    ...(settings.deliverMegabytes === undefined ? {} : { deliver_size_interval: settings.deliverMegabytes }),
    consumer_strategy: settings.consumerStrategy,
    destination_file_type: settings.fileType,
    record_delimiter: settings.delimiter,
    retry_duration: settings.retrySeconds ?? 0,
  };
}

/** What would change the files if it were ignored is refused rather than ignored. */
function refuseUnsupported(descriptor: DumpDescriptor): void {
  const supported: readonly (readonly [string, string | null | undefined, string])[] = [
    ['destination_type', descriptor.destination_type, DESTINATION_TYPE],
    ['destination_file_type', descriptor.destination_file_type, 'text'],
    ['deliver_data_type', descriptor.deliver_data_type, 'file_stream'],
    ['compression_format', descriptor.compression_format, 'none'],
  ];
  for (const [member, value, only] of supported) {
    if (value && value !== only) throw new DomainError('UnsupportedDestination', [member, value.slice(0, 64)]);
  }
  if (descriptor.processing_schema != null) throw new DomainError('UnsupportedDestination', ['processing_schema']);
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

function parseRetry(given: string | number): number | undefined {
  const seconds = typeof given === 'number' ? given : /^\d{0,6}$/.test(given) ? Number(given) : Number.NaN;
  return within('retry_duration', seconds, 0, MAX_RETRY_SECONDS) || undefined;
}

function within(member: string, value: number, min: number, max: number): number {
  const good = Number.isInteger(value) && value >= min && value <= max;
  return good ? value : refuse(member, `must be a whole number from ${min} to ${max}`);
}

function oneOf<T extends string>(member: string, values: readonly T[], given: string): T {
  const value = values.find((candidate) => candidate === given);
  return value ?? refuse(member, `must be one of ${values.filter(Boolean).join(', ')}`);
}

function refuse(member: string, reason: string): never {
  throw new DomainError('InvalidBody', [member, reason]);
}
