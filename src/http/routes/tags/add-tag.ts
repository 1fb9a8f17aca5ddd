/** POST /v2/{project_id}/stream/{stream_id}/tags: one tag. 204. */
import { addTag, findTaggedStream } from '../../../streams/tags.ts';
import type { App } from '../../fastify-types.ts';
import { Empty } from '../../schemas/empty.ts';
import { AddTagBody } from '../../schemas/tags.ts';
import type { Services } from '../../services.ts';

export function addTagRoute(app: App, services: Services): void {
  app.post<{ Params: { projectId: string; streamId: string }; Body: AddTagBody }>(
    '/v2/:projectId/stream/:streamId/tags',
    {
      config: { operation: 'addTag' },
      schema: { summary: 'Add a tag to a stream', body: AddTagBody, response: { 204: Empty } },
    },
    async ({ params, body, principal }, reply) => {
      const stream = findTaggedStream(services.registry, principal, params.streamId);
      const { key, value } = body.tag;
      await addTag(services, stream, { key, value: value ?? '' });
      return reply.code(204).send();
    },
  );
}
