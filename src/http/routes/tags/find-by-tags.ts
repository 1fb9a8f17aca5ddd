/** POST /v2/{project_id}/stream/resource_instances/action: the streams whose tags fit, or how many there are. */
import { DomainError } from '../../../model/errors.ts';
import type { Stream } from '../../../model/stream.ts';
import { checkTagFilters, findByTags, type TagFilter, type TagQuestion } from '../../../streams/find-by-tags.ts';
import type { App } from '../../fastify-types.ts';
import { FindByTagsBody, FindByTagsReply } from '../../schemas/tags.ts';
import type { Services } from '../../services.ts';

const LARGEST_PAGE = 1000;
const LARGEST_OFFSET = Number.MAX_SAFE_INTEGER;

export function findByTagsRoute(app: App, { registry }: Services): void {
  app.post<{ Params: { projectId: string }; Body: FindByTagsBody }>(
    '/v2/:projectId/stream/resource_instances/action',
    {
      config: { operation: 'findByTags' },
      schema: {
        summary: 'Find or count streams by their tags',
        body: FindByTagsBody,
        response: { 200: FindByTagsReply },
      },
    },
    ({ params, body }) => {
      const question = toQuestion(body);
      // A page is part of the answer to `filter` alone: what `count` is given beside the question does not matter.
      if (body.action === 'count')
        return { total_count: findByTags(registry.ofProject(params.projectId), question).length };
      if (body.action !== 'filter') throw new DomainError('InvalidTagAction', [body.action.slice(0, 64)]);
      const limit = toCount('limit', body.limit, 1, LARGEST_PAGE) ?? LARGEST_PAGE;
      const offset = toCount('offset', body.offset, 0, LARGEST_OFFSET) ?? 0;
      const streams = findByTags(registry.ofProject(params.projectId), question);
      return { resources: streams.slice(offset, offset + limit).map(resource), total_count: streams.length };
    },
  );
}

function toQuestion(body: FindByTagsBody): TagQuestion {
  return {
    all: toFilters(body.tags, 'tags'),
    any: toFilters(body.tags_any, 'tags_any'),
    notAll: toFilters(body.not_tags, 'not_tags'),
    notAny: toFilters(body.not_tags_any, 'not_tags_any'),
    names: (body.matches ?? []).map(({ key, value }, index) => {
      if (key === 'resource_name') return value ?? '';
      throw new DomainError('InvalidBody', [`matches.${index}.key`, 'must be resource_name']);
    }),
  };
}

function toFilters(filters: FindByTagsBody['tags'], member: string): readonly TagFilter[] {
  const plain = (filters ?? []).map(({ key, values }) => ({ key, values: values ?? [] }));
  checkTagFilters(plain, member);
  return plain;
}

/** A number, or its digits; undefined when there is nothing. */
function toCount(
  member: string,
  value: string | number | null | undefined,
  min: number,
  max: number,
): number | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const count = typeof value === 'number' ? value : /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN;
  if (count >= min && count <= max) return count;
  throw new DomainError('InvalidBody', [member, `must be a whole number from ${min} to ${max}`]);
}

function resource({ id, name, tags }: Stream) {
  return { resource_id: id, resource_name: name, resource_detail: null, tags };
}
