/**
 * POST /v2/{project_id}/streams/{stream_name}/policies, by names, and /v3/…, by ids: adds permission entries. 200 with an
 * empty body. An absent effect is `deny` in v2, as its page says, and `accept` in v3, which knows no other.
 */
import { addPolicies } from '../../../streams/policies.ts';
import { findStream } from '../../../streams/stream-access.ts';
import type { App } from '../../fastify-types.ts';
import { Empty } from '../../schemas/empty.ts';
import { PolicyBody } from '../../schemas/policies.ts';
import type { Services } from '../../services.ts';
import { policyRequest, type PolicyParams } from './policy-request.ts';

const VERSIONS = [
  { version: 'v2', operation: 'createPolicies', summary: 'Add permission entries', effect: 'deny' },
  { version: 'v3', operation: 'createPoliciesV3', summary: 'Add permission entries by id', effect: 'accept' },
] as const;

export function createPoliciesRoute(app: App, services: Services): void {
  for (const { version, operation, summary, effect } of VERSIONS) {
    app.post<{ Params: PolicyParams; Body: PolicyBody }>(
      `/${version}/:projectId/streams/:streamName/policies`,
      {
        config: { operation, permission: 'streams' },
        schema: { summary, body: PolicyBody, response: { 200: Empty } },
      },
      async ({ params, body, principal }, reply) => {
        const stream = findStream(services.registry, principal, { name: params.streamName });
        await addPolicies(services, stream, policyRequest(body, effect));
        return reply.code(200).send();
      },
    );
  }
}
