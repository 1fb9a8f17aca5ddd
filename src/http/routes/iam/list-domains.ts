/** GET /v3/auth/domains: the caller's own domain, for SDKs that are given no domain id. */
import { domainIdOf } from '../../../model/principal.ts';
import type { App } from '../../fastify-types.ts';
import { DomainsReply } from '../../schemas/iam.ts';

export function listDomainsRoute(app: App): void {
  app.get(
    '/v3/auth/domains',
    {
      config: { operation: 'listDomains', iam: true },
      schema: { summary: 'List domains', response: { 200: DomainsReply } },
    },
    async ({ principal: { domain } }) => ({
      domains: [{ id: domainIdOf(domain), name: domain, enabled: true, description: '', links: {} }],
      links: {},
    }),
  );
}
