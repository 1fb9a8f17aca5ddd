/** What is asked about the time directories of a task or a backfill, and the answer. */
import Type from 'typebox';
import type { DumpManifestRow } from '../../../catalog/dump-manifests.ts';
import type { PeriodDescription, PeriodList, PeriodQuery } from '../../../dump/periods/list-periods.ts';
import { DomainError } from '../../../model/errors.ts';
import { integer, queryOf, type Parameter, type Query } from '../../query.ts';

const QUERY = queryOf({
  from: time('periods that start at or after this time, in ms since 1970'),
  to: time('periods that start before this time; for the next page, the start of the last period of this one'),
  limit: integer({ min: 1, max: 100, fallback: 20 }, 'periods of the page'),
});

export const PERIOD_QUERY_SCHEMA = QUERY.schema;

/** Throws InvalidRequest. */
export function readPeriodQuery(query: Query): PeriodQuery {
  const { from = Number.MIN_SAFE_INTEGER, to = Number.MAX_SAFE_INTEGER, limit } = QUERY.read(query);
  return { from, to, limit };
}

export function describePeriods({ completeUntil, hasMore, periods }: PeriodList) {
  return {
    complete_until: completeUntil ?? null,
    has_more_periods: hasMore,
    periods: periods.map(describePeriod),
  };
}

function describePeriod(period: PeriodDescription) {
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
