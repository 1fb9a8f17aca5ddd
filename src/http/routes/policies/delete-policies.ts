/**
 * DELETE /v2/{project_id}/streams/{stream_name}/policies: the JSON body names the entries. 200 with an empty body, also
 * when there are none. An absent effect is `accept`, as the page says.
 */
import { removePolicies } from '../../../streams/policies.ts';
import { findStream } from '../../../streams/stream-access.ts';
import type { App } from '../../fastify-types.ts';
import { Empty } from '../../schemas/empty.ts';
import { PolicyBody } from '../../schemas/policies.ts';
import type { Services } from '../../services.ts';
import { policyRequest, type PolicyParams } from './policy-request.ts';

export function deletePoliciesRoute(app: App, services: Services): void {
  app.delete<{ Params: PolicyParams; Body: PolicyBody }>(
    '/v2/:projectId/streams/:streamName/policies',
    {
      config: { operation: 'deletePolicies', permission: 'streams' },
      schema: { summary: 'Delete permission entries', body: PolicyBody, response: { 200: Empty } },
    },
    async ({ params, body, principal }, reply) => {
      const stream = findStream(services.registry, principal, { name: params.streamName });
      await removePolicies(services, stream, policyRequest(body, 'accept'));
      return reply.code(200).send();
    },
  );
}
