/** GET /v2/{project_id}/streams/{stream_name}/transfer-tasks/{task_name}/periods: which time directories are complete. */
import Type from 'typebox';
import type { DumpManifestRow } from '../../../catalog/dump-manifests.ts';
import type { DumpServices } from '../../../dump/dump-services.ts';
import { listPeriods, type PeriodDescription } from '../../../dump/periods/list-periods.ts';
import { DomainError } from '../../../model/errors.ts';
import { findStream } from '../../../streams/stream-access.ts';
import type { App } from '../../fastify-types.ts';
import { integer, queryOf, type Parameter, type Query } from '../../query.ts';
import { PeriodListReply } from '../../schemas/periods.ts';
import { streamPaths, type TaskParams } from './paths.ts';

const QUERY = queryOf({
  from: time('periods that start at or after this time, in ms since 1970'),
  to: time('periods that start before this time; for the next page, the start of the last period of this one'),
  limit: integer({ min: 1, max: 100, fallback: 20 }, 'periods of the page'),
});

export function listPeriodsRoute(app: App, services: DumpServices): void {
  for (const { path, hide } of streamPaths('/transfer-tasks/:taskName/periods')) {
    app.get<{ Params: TaskParams; Querystring: Query }>(
      path,
      {
        config: { operation: 'listPeriods' },
        schema: {
          hide,
          summary: 'List the time directories of a dump task, the newest first',
          querystring: QUERY.schema,
          response: { 200: PeriodListReply },
        },
      },
      async ({ params, query, principal }) => {
        const stream = findStream(services.registry, principal, { name: params.streamName });
        const { from = Number.MIN_SAFE_INTEGER, to = Number.MAX_SAFE_INTEGER, limit } = QUERY.read(query);
        const list = await listPeriods(services, stream, params.taskName, { from, to, limit });
        return {
          complete_until: list.completeUntil ?? null,
          has_more_periods: list.hasMore,
          periods: list.periods.map(describe),
        };
      },
    );
  }
}

function describe(period: PeriodDescription) {
  return {
    start: period.period,
    end: period.ends_at,
    state: period.completed_at === null ? 'open' : 'complete',
    complete_time: period.completed_at,
    merge_time: period.merged_at,
    files: period.files,
    records: period.records,
    bytes: period.bytes,
    manifests: period.manifestsOf.map(describeManifest),
  };
}

function describeManifest(manifest: DumpManifestRow) {
  return {
    number: manifest.number,
    bucket: manifest.bucket,
    object_key: manifest.object_key,
    files: manifest.files,
    records: manifest.records,
    bytes: manifest.bytes,
    store_time: manifest.stored_at,
    checksum: manifest.checksum,
  };
}

/** A time in ms, before 1970 too, or undefined. Throws InvalidRequest. */
function time(description: string): Parameter<number | undefined> {
  return {
    schema: Type.Optional(Type.Integer({ description })),
    read(value, name) {
      if (value === undefined) return undefined;
      if (/^-?\d{1,15}$/.test(value)) return Number(value);
      throw new DomainError('InvalidRequest', [name, 'must be milliseconds since 1970']);
    },
  };
}
