/** POST /v2/{project_id}/checkpoints: 201 with an empty body. */
import { commitCheckpoint } from '../../../apps/checkpoints/commit-checkpoint.ts';
import { DomainError } from '../../../model/errors.ts';
import type { App } from '../../fastify-types.ts';
import { CommitCheckpointBody } from '../../schemas/checkpoints.ts';
import { Empty } from '../../schemas/empty.ts';
import type { Services } from '../../services.ts';

export function commitCheckpointRoute(app: App, services: Services): void {
  app.post<{ Params: { projectId: string }; Body: CommitCheckpointBody }>(
    '/v2/:projectId/checkpoints',
    {
      config: { operation: 'commitCheckpoint', permission: 'data' },
      schema: { summary: 'Commit a checkpoint', body: CommitCheckpointBody, response: { 201: Empty } },
    },
    async ({ body, principal }, reply) => {
      if (!body.stream_name && !body.stream_id) throw new DomainError('InvalidBody', ['stream_name', 'is missing']);
      await commitCheckpoint(services, {
        caller: principal,
        appName: body.app_name,
        stream: { name: body.stream_name ?? undefined, id: body.stream_id ?? undefined },
        partitionId: body.partition_id,
        sequenceNumber: String(body.sequence_number),
        metadata: body.metadata ?? '',
        clientId: body.client_id || undefined,
        generation: body.generation_id ?? undefined,
      });
      return reply.code(201).send();
    },
  );
}
