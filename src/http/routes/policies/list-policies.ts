/** GET /v2/{project_id}/streams/{stream_name}/policies, and its twin in v3: the permission entries of a stream. */
import { findStream } from '../../../streams/stream-access.ts';
import type { App } from '../../fastify-types.ts';
import { PoliciesReply } from '../../schemas/policies.ts';
import type { Services } from '../../services.ts';
import type { PolicyParams } from './policy-request.ts';

export function listPoliciesRoute(app: App, services: Services): void {
  for (const version of ['v2', 'v3']) {
    app.get<{ Params: PolicyParams }>(
      `/${version}/:projectId/streams/:streamName/policies`,
      {
        config: { operation: 'listPolicies' },
        schema: { hide: version === 'v3', summary: 'List permission entries', response: { 200: PoliciesReply } },
      },
      ({ params, principal }) => {
        const { id, policies } = findStream(services.registry, principal, { name: params.streamName });
        return {
          stream_id: id,
          rules: policies.map(({ principal, principalName, action, effect }) => ({
            principal,
            principal_name: principalName,
            action_type: action,
            effect,
          })),
        };
      },
    );
  }
}
