/**
 * The tables of the catalog as kysely sees them. Times are milliseconds since 1970; booleans are 0 and 1; settings are
 * JSON text. `migrations/` makes the tables; docs/STORAGE-FORMAT.md tells what each is for.
 */
import type { Generated } from 'kysely';

/** Values that every node shares: the cursor key, the layout's name. */
export interface MetaTable {
  key: string;
  value: string;
}

export interface ProjectsTable {
  /** 1–64 letters and digits. */
  id: string;
  domain: string;
  name: string;
  created_at: number;
}

export interface UsersTable {
  id: string;
  domain: string;
  name: string;
  /** As auth/passwords.ts writes it: scheme, parameters, salt and hash. */
  password_hash: string;
  /** One of ROLES (model/principal.ts). */
  role: string;
  created_at: number;
}

/** An access key and its secret, acting as one user in one project. */
export interface AccessKeysTable {
  access_key: string;
  /** Kept readable: a signature can be verified only with the secret itself. */
  secret_key: string;
  user_id: string;
  /** The project of requests that name none. */
  project_id: string;
  created_at: number;
  /** Temporary keys only: hex SHA-256 of the security token that must come with the key, and when both end. */
  security_token_hash: string | null;
  expires_at: number | null;
}

export interface TokensTable {
  /** Hex SHA-256 of the token: the table does not let its reader in. */
  hash: string;
  user_id: string;
  project_id: string;
  issued_at: number;
  expires_at: number;
}

export interface StreamsTable {
  /** Never used again, also not after a delete: see PartitionRef. */
  number: Generated<number>;
  stream_id: string;
  project_id: string;
  name: string;
  stream_type: string;
  data_type: string;
  data_schema: string | null;
  /** The delimiter of csv_properties. */
  csv_delimiter: string | null;
  compression_format: string | null;
  retention_hours: number;
  auto_scale_enabled: number;
  auto_scale_min: number | null;
  auto_scale_max: number | null;
  /** JSON: [{key, value}]. */
  tags: string;
  sys_tags: string;
  created_at: number;
  updated_at: number;
}

export interface PartitionsTable {
  stream: number;
  partition: number;
  status: string;
  /** Inclusive ends of the hash range in decimal, 0 … 2^63-1. */
  hash_low: string;
  hash_high: string;
  /** Comma-separated partition ids, empty for a partition that came with the stream. */
  parents: string;
  /** When it became DELETED; null while it is ACTIVE. */
  closed_at: number | null;
}

/** Permission entries, see StreamPolicy. */
export interface StreamPoliciesTable {
  id: Generated<number>;
  stream: number;
  principal: string;
  principal_name: string;
  action: string;
  effect: string;
  created_at: number;
}

/** Changes of the number of partitions, see ScalingEvent. */
export interface ScalingLogTable {
  id: Generated<number>;
  stream: number;
  at: number;
  from_count: number;
  to_count: number;
  succeeded: number;
  automatic: number;
  message: string;
}

/** Consumer applications; a consumer group is an app with members. */
export interface AppsTable {
  /** 19 letters and digits. */
  app_id: string;
  project_id: string;
  name: string;
  created_at: number;
  /**
   * The last generation set aside for its consumer group: no rebalance had a higher one, but for what its row in
   * consumer_groups says. Never goes back.
   */
  generation: number;
}

/** Consumer groups of a catalog that several nodes share; a node that is alone keeps them in memory. */
export interface ConsumerGroupsTable {
  /** Of the app that the group is. */
  app_id: string;
  /** JSON: see apps/groups/group-state.ts. */
  state: string;
  /** Another one after each change. */
  revision: number;
  /** The time of the last change, in ms: the group's clock never goes back behind it. */
  updated_at: number;
}

/** How far an app has come in a partition. */
export interface CheckpointsTable {
  app_id: string;
  stream: number;
  partition: number;
  sequence: number;
  metadata: string;
  updated_at: number;
}

/** What went through a stream (`partition` -1) or one of its partitions in one minute. */
export interface MetricPointsTable {
  stream: number;
  partition: number;
  /** Minutes since 1970. */
  minute: number;
  put_records: number;
  put_bytes: number;
  get_records: number;
  get_bytes: number;
  /** The columns from here on are kept for whole streams only: requests that succeeded, the sum of their ms, and refusals. */
  put_requests: number;
  put_ms: number;
  get_requests: number;
  get_ms: number;
  put_throttled: number;
  get_throttled: number;
}

/** Streams that are gone but whose records may still be in the log. */
export interface DeletedStreamsTable {
  number: number;
  deleted_at: number;
}

export interface DumpTasksTable {
  /** 19 letters and digits. */
  task_id: string;
  project_id: string;
  stream: number;
  stream_id: string;
  stream_name: string;
  name: string;
  state: string;
  /** Counts updates from 1; each planned file keeps the version it was planned under. */
  version: number;
  created_at: number;
  /** Set when the task is deleted: its log stays. */
  deleted_at: number | null;
  /** Rows of dump_log of this task, kept with them in one transaction, so that a page need not count. */
  log_rows: number;
  /** `live`, or `backfill`: a task that delivers a range of its parent's stream again and then ends. */
  kind: Generated<string>;
  /** The task that a backfill was asked of. */
  parent_id: string | null;
  /** 1: becomes PAUSED once what is planned is through; nothing more is planned. */
  draining: Generated<number>;
  /** The newest row of dump_schemas, 0 for none. */
  schema_revision: Generated<number>;
  /**
   * Where the kept part of the log begins, in ms: rows of cuts, merges and redrives planned before it are gone, or about to
   * go. Null: all of it is kept.
   */
  log_begin: Generated<number | null>;
  /** Time in ms: no cut is planned for an earlier one, since directories up to it may have been found complete. */
  plan_floor: Generated<number>;
}

/** What is known of the columns of a task's records that have no schema; each revision adds columns to the one before. */
export interface DumpSchemasTable {
  task_id: string;
  /** From 1. */
  revision: number;
  /** JSON of RowSchema (codec/rows/row-schema.ts). */
  columns: string;
  created_at: number;
}

/** What a task's files look like, one row a version. */
export interface DumpTaskVersionsTable {
  task_id: string;
  version: number;
  /** JSON of DumpSettings (dump/settings/settings.ts). */
  settings: string;
  created_at: number;
}

export interface DumpPositionsTable {
  task_id: string;
  partition: number;
  /** The first record that is not settled (in no committed file, no dead letter, not given up). Moves only with its log row. */
  position: number;
  /** When the current wait for the interval began. */
  waiting_since: number;
  /** Milliseconds in the newest object name: the next one is larger. */
  last_name_time: number;
  /** Time of the newest commit, or null. */
  last_transfer_at: number | null;
  /** Records that are in no file: given up (damaged, expired), or dead letters. */
  discarded: number;
  /** Where the kept part of the log begins: the first record of the task, or of the oldest cut that is not pruned. Null in tasks of an older version. */
  start_position: number | null;
  /** Backfills only: exclusive end of what is to be delivered. */
  end_position: number | null;
  /** The first undelivered record when the log last warned that it will expire, or null. */
  warned_position: number | null;
  /** 1: no record of the newest committed cut could be converted. */
  all_dead: Generated<number>;
}

/** See DumpTasksTable.kind. */
export type TaskKind = 'live' | 'backfill';

export const LOG_STATE = { succeeded: 0, failed: 1, inProgress: 2 } as const;

export const LOG_KINDS = ['delivery', 'merge', 'redrive', 'warning'] as const;
export type LogKind = (typeof LOG_KINDS)[number];

/** The partition of rows that belong to no single one: merged files. */
export const NO_PARTITION = -1;

/**
 * The dump log. A planned cut is a row in state 2. Its commit turns the same row into state 0 as the row of its first
 * file and adds a row for each further file; a cut without files (dead letters only) keeps its one row, without an object.
 */
export interface DumpLogTable {
  id: Generated<number>;
  task_id: string;
  task_version: number;
  partition: number;
  state: number;
  /** [first_sequence, next_sequence): the cut that the file was made from. Every row of a cut has the same. */
  first_sequence: number;
  next_sequence: number;
  /** When the plan was made; the last part of the file name. */
  created_at: number;
  /** Begin and end of the interval that the file covers; for a failed attempt those of the attempt. */
  start_time: number;
  end_time: number;
  read_records: number;
  records: number;
  bytes: number;
  file_name: string;
  bucket: string;
  object_key: string;
  /** `sha256:<hex>` of the object's bytes, null until committed. */
  checksum: string | null;
  etag: string | null;
  /** Which try this row is about, from 1. */
  attempt: number;
  /** Of a planned cut that has failed: when it is tried again, in ms, as far as whoever does so keeps to it. */
  retry_at: Generated<number | null>;
  error_code: string | null;
  cause: string | null;
  /** 1 for a row in state 1 whose range was given up: the position has passed it. 0 for every other row. */
  given_up: number;
  /** One of LOG_KINDS. */
  kind: Generated<string>;
  /** The row of the cut's plan; null for that row itself. */
  plan_id: number | null;
  /** Directories between the task's prefix and the file name, without slashes around; empty for none. */
  path: Generated<string>;
  /** Start in ms of the stretch of time that `path` stands for; null when it has no time in it. */
  period: number | null;
  /** First and last record in the object, inclusive; null when there is no object, and in rows of an older version. */
  first_record: number | null;
  last_record: number | null;
  /** Records of the cut that could not be converted; only the row of the plan has them. */
  dead_letters: Generated<number>;
  dead_letter_key: string | null;
  dead_letter_bytes: number | null;
  dead_letter_checksum: string | null;
  /** What was known of the columns when the cut was planned, see dump_schemas. */
  schema_revision: Generated<number>;
  /** Redrives: the row whose dead letters this one takes. */
  source_id: number | null;
  /** The redrive row that takes, or has taken, this row's dead letters. */
  redriven_by: number | null;
  /** The merge row whose object takes, or has taken, the place of this one's. */
  merge_id: number | null;
  /** When that merge was committed, in ms: from then on this row's object is none of the task's files any more. */
  superseded_at: number | null;
  /** When the superseded object was removed from the store. */
  removed_at: number | null;
  /** Number of the manifest of `period` that lists this file, from 0. */
  manifest: number | null;
}

/** The stretches of time that a task's directories stand for, made with their first file. */
export interface DumpPeriodsTable {
  task_id: string;
  /** Start in ms. */
  period: number;
  /** Exclusive end in ms. */
  ends_at: number;
  /** When every record that arrived in time was delivered; null before. */
  completed_at: number | null;
  /** When its files were merged; null before, and for tasks that do not merge. */
  merged_at: number | null;
  /** Manifests planned so far; those after the first are addenda. */
  manifests: number;
  /** When the first file came that no manifest of the period lists yet, though it has one; null for none. */
  late_since: number | null;
}

/** A manifest object; planned before it is stored, so that the same number always lists the same files. */
export interface DumpManifestsTable {
  task_id: string;
  period: number;
  /** From 0. */
  number: number;
  bucket: string;
  object_key: string;
  created_at: number;
  stored_at: number | null;
  files: number;
  records: number;
  bytes: number;
  checksum: string | null;
  etag: string | null;
}

/**
 * How far into an order of a task's log a key is: the separators of that order, and the rows between each and the next.
 * See dump-log-ranks.ts.
 */
export interface DumpLogRanksTable {
  task_id: string;
  /** A column by which the log can be sorted. */
  sort: string;
  /** 0: leaves; 1: groups of leaves. */
  level: number;
  /** The key: a value of that column, and the row of the log that tells equal values apart. */
  value: number;
  id: number;
  /** Rows of the log from this key on and before the next one of the level; kept by triggers. */
  rows: number;
}

/** The nodes that share the catalog; embedded ones are not here. Times are PostgreSQL's. */
export interface NodesTable {
  /** Another one for each start of a node. */
  id: string;
  /** As configured, or made up. */
  name: string;
  version: string;
  /** Where it listens. */
  url: string;
  started_at: number;
  renewed_at: number;
  /** From then on it is dead: what it held may be taken. */
  expires_at: number;
  /** The last row of `changes` that it has taken in. */
  change_seen: number;
}

/** Work that one node does at a time. */
export interface LeasesTable {
  name: string;
  /** `nodes.id`; null: nobody. */
  owner: string | null;
  /** Counts its owners. What is written under an earlier epoch is refused. */
  epoch: number;
  taken_at: number | null;
}

/** What nodes tell each other of, for an hour: see Change in cluster/cluster.ts. */
export interface ChangesTable {
  id: Generated<number>;
  kind: string;
  key: string;
  /** The node that announced it. */
  node: string;
  at: number;
}

export interface Database {
  meta: MetaTable;
  projects: ProjectsTable;
  users: UsersTable;
  access_keys: AccessKeysTable;
  tokens: TokensTable;
  streams: StreamsTable;
  partitions: PartitionsTable;
  deleted_streams: DeletedStreamsTable;
  stream_policies: StreamPoliciesTable;
  scaling_log: ScalingLogTable;
  apps: AppsTable;
  consumer_groups: ConsumerGroupsTable;
  checkpoints: CheckpointsTable;
  metric_points: MetricPointsTable;
  dump_tasks: DumpTasksTable;
  dump_task_versions: DumpTaskVersionsTable;
  dump_positions: DumpPositionsTable;
  dump_log: DumpLogTable;
  dump_schemas: DumpSchemasTable;
  dump_periods: DumpPeriodsTable;
  dump_manifests: DumpManifestsTable;
  dump_log_ranks: DumpLogRanksTable;
  nodes: NodesTable;
  leases: LeasesTable;
  changes: ChangesTable;
}
