/** DELETE /v2/{project_id}/stream/{stream_id}/tags/{key}: one tag, which must be there. 204. */
import { findTaggedStream, removeTag } from '../../../streams/tags.ts';
import type { App } from '../../fastify-types.ts';
import { Empty } from '../../schemas/empty.ts';
import type { Services } from '../../services.ts';

export function deleteTagRoute(app: App, services: Services): void {
  app.delete<{ Params: { projectId: string; streamId: string; key: string } }>(
    '/v2/:projectId/stream/:streamId/tags/:key',
    {
      config: { operation: 'deleteTag' },
      schema: { summary: 'Delete a tag of a stream', response: { 204: Empty } },
    },
    async ({ params, principal }, reply) => {
      await removeTag(services, findTaggedStream(services.registry, principal, params.streamId), params.key);
      return reply.code(204).send();
    },
  );
}
