/**
 * Every limit of the service as one schema: the config file's `limits` section, its defaults (DIS's own values, see
 * docs/PROTOCOL.md for where the documents disagree) and its type. Each bound is inclusive.
 */
import Type, { type Static } from 'typebox';

const count = (value: number, description: string) => Type.Integer({ minimum: 1, default: value, description });

export const LimitsSchema = Type.Object(
  {
    profile: Type.Union([Type.Literal('none'), Type.Literal('dis')], {
      default: 'none',
      description: 'dis: throttle each partition as the cloud service does; none: as fast as the machine goes',
    }),
    body_bytes: count(12 * 1024 * 1024, 'bytes of a request body'),
    put_bytes: count(5 * 1024 * 1024, 'payload bytes of one put request, keys excluded'),
    put_records: count(10_000, 'records of one put request'),
    record_bytes: count(1024 * 1024, 'payload bytes of one record before Base64'),
    get_records: count(10_000, 'records of one get answer; more are asked for with the next cursor'),
    get_bytes: count(10 * 1024 * 1024, 'payload bytes of one get answer'),
    get_default_records: count(1000, 'records of one get answer when the request does not say'),
    pending_append_bytes: count(64 * 1024 * 1024, 'bytes of accepted puts that wait for the disk'),
    stream_name_length: count(64, 'characters of a stream name'),
    task_name_length: count(64, 'characters of a dump task name'),
    common_partitions: count(50, 'partitions of all COMMON streams of a project'),
    advanced_partitions: count(10, 'partitions of all ADVANCED streams of a project'),
    scalings_per_hour: count(5, 'tries to change the number of partitions of a stream by hand within an hour'),
    tasks_per_stream: count(5, 'dump tasks of a stream'),
    backfills_per_task: count(5, 'unfinished backfills of a dump task'),
    paths_per_cut: count(10_000, 'output paths of one cut of a dump task; more follow in the next cut'),
    tags_per_stream: count(10, 'tags of a stream'),
    min_retention_hours: count(24, 'shortest data_duration'),
    max_retention_hours: count(72, 'longest data_duration'),
    apps: count(100, 'apps of a project'),
    app_name_length: count(200, 'characters of an app name'),
    checkpoint_metadata_length: count(1000, 'characters of the metadata of a checkpoint'),
    group_members: count(1000, 'members of a consumer group'),
    group_session_seconds: count(30, 'silence after which a member of a consumer group is out: three heartbeats'),
    policies_per_stream: count(100, 'permission entries of a stream'),
    cursor_seconds: count(300, 'life of a cursor'),
    max_deliver_interval: count(900, 'longest deliver_time_interval in seconds'),
    min_deliver_megabytes: count(1, 'smallest deliver_size_interval'),
    max_deliver_megabytes: count(300, 'largest deliver_size_interval'),
    file_prefix_length: count(50, 'characters of file_prefix'),
    log_page_rows: count(1000, 'entries of one page of the dump log'),
  },
  { default: {}, additionalProperties: false },
);

export type Limits = Readonly<Static<typeof LimitsSchema>>;
