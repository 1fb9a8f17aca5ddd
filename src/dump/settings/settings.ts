/**
 * What a dump task delivers and how: the settings of one version of a task, the request that they come from, and the form
 * in which the catalog keeps them. See parse-settings.ts for what each member may be, settings-rules.ts for what goes
 * together.
 */
import type { DataType } from '../../model/stream.ts';

export const PARTITION_FORMATS = ['', 'yyyy', 'yyyy/MM', 'yyyy/MM/dd', 'yyyy/MM/dd/HH', 'yyyy/MM/dd/HH/mm'] as const;
export type PartitionFormat = (typeof PARTITION_FORMATS)[number];

export const CONSUMER_STRATEGIES = ['LATEST', 'TRIM_HORIZON'] as const;
export type ConsumerStrategy = (typeof CONSUMER_STRATEGIES)[number];

/** The destination of every task; the others of the API are refused. */
export const DESTINATION_TYPE = 'OBS';

export const FILE_TYPES = ['text', 'csv', 'parquet'] as const;
export type FileType = (typeof FILE_TYPES)[number];

/** The form of delivery, the only one of the API. */
export const DELIVER_DATA_TYPE = 'file_stream';

export type Compression = 'none' | 'gzip' | 'zstd' | 'snappy';

/** What each type of file may be compressed with. Of Parquet it is the pages, not the file. The first is the default. */
export const COMPRESSIONS: Readonly<Record<FileType, readonly Compression[]>> = {
  text: ['none', 'gzip', 'zstd'],
  csv: ['none', 'gzip', 'zstd'],
  parquet: ['snappy', 'none', 'gzip', 'zstd'],
};

export const TIMESTAMP_TYPES = ['String', 'Timestamp'] as const;

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

/** Of what is beyond the API, and of the form of files. It is also what a version says that is older than these members. */
export const DEFAULTS = {
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

/** Whether the directories of files are those of the moment at which they are planned. */
export function isPlacedByPlan({
  recordTime,
  pathTemplate,
}: Pick<DumpSettings, 'recordTime' | 'pathTemplate'>): boolean {
  return recordTime === undefined && pathTemplate === undefined;
}

/** As a row of dump_task_versions keeps it. */
export function stringifySettings(settings: DumpSettings): string {
  return JSON.stringify(settings);
}

/** Reads back what `stringifySettings` wrote. */
export function parseStoredSettings(text: string): DumpSettings {
  const settings = { ...DEFAULTS, ...(JSON.parse(text) as DumpSettings) };
  // Older versions may say how long to wait for late records where none can be late, which is refused by now.
  return isPlacedByPlan(settings) ? { ...settings, latenessSeconds: DEFAULTS.latenessSeconds } : settings;
}
