/** DELETE /v2/{project_id}/streams/{stream_name}: 204. */
import { deleteStream } from '../../../streams/delete-stream.ts';
import type { App } from '../../fastify-types.ts';
import type { Services } from '../../services.ts';

export function deleteStreamRoute(app: App, services: Services): void {
  app.delete<{ Params: { projectId: string; streamName: string } }>(
    '/v2/:projectId/streams/:streamName',
    { config: { operation: 'deleteStream' } },
    async (request, reply) => {
      const { projectId, streamName } = request.params;
      await deleteStream(services, services.registry.get(projectId, streamName));
      return reply.code(204).send();
    },
  );
}
