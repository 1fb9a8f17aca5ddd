/** GET /openapi.json: this API, described. Open to everybody, like the API itself. */
import type { App } from '../../fastify-types.ts';
import { OpenapiReply } from '../../schemas/openapi.ts';

export function getOpenapiRoute(app: App): void {
  let text: string | undefined;
  app.get<{ Reply: unknown }>(
    '/openapi.json',
    {
      config: { operation: 'getOpenapi', public: true, always: true },
      schema: { summary: 'Describe the API', response: { 200: OpenapiReply } },
    },
    (_request, reply) => {
      text ??= JSON.stringify(app.swagger());
      return reply.type('application/json; charset=utf-8').send(text);
    },
  );
}
