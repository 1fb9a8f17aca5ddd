/** POST /v2/{project_id}/stream/{stream_id}/tags/action: add or delete several tags, all or none. 204. */
import { DomainError } from '../../../model/errors.ts';
import { addTags, findTaggedStream, removeTags } from '../../../streams/tags.ts';
import type { App } from '../../fastify-types.ts';
import { Empty } from '../../schemas/empty.ts';
import { ChangeTagsBody } from '../../schemas/tags.ts';
import type { Services } from '../../services.ts';

export function changeTagsRoute(app: App, services: Services): void {
  app.post<{ Params: { projectId: string; streamId: string }; Body: ChangeTagsBody }>(
    '/v2/:projectId/stream/:streamId/tags/action',
    {
      config: { operation: 'changeTags' },
      schema: { summary: 'Add or delete tags of a stream', body: ChangeTagsBody, response: { 204: Empty } },
    },
    async ({ params, body, principal }, reply) => {
      const stream = findTaggedStream(services.registry, principal, params.streamId);
      if (body.action === 'create') {
        const tags = body.tags.map(({ key, value }) => ({ key, value: value ?? '' }));
        await addTags(services, stream, tags);
      } else if (body.action === 'delete') {
        const keys = body.tags.map(({ key }) => key);
        await removeTags(services, stream, keys);
      } else throw new DomainError('InvalidTagAction', [body.action.slice(0, 64)]);
      return reply.code(204).send();
    },
  );
}
