import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FastifyContextConfig } from 'fastify';
import { OPERATIONS } from '../../../test/support/operations.ts';
import { loadConfig } from '../../config.ts';
import type { Permission } from '../../model/principal.ts';
import type { App } from '../fastify-types.ts';
import type { Services } from '../services.ts';
import { ROUTES } from './table.ts';

const DENIED_TO: Readonly<Record<Permission, string>> = {
  any: '-',
  data: 'operator',
  streams: 'user',
  server: 'operator,user',
};

test('every route that is not public has the permission of the role table', () => {
  const found: string[] = [];
  const record =
    (method: string) =>
    (path: string, { config }: { readonly config: FastifyContextConfig }) => {
      const { operation, permission = 'any' } = config;
      if (config.public !== true) found.push(`${method} ${path} ${operation} ${DENIED_TO[permission]}`);
    };
  const app = { get: record('GET'), post: record('POST'), put: record('PUT'), delete: record('DELETE') };
  const services = { limits: loadConfig({ env: {} }).limits, metricsPublic: true };
  for (const route of ROUTES) route(app as unknown as App, services as unknown as Services);

  const expected = OPERATIONS.flatMap(({ operation, method, paths, deniedTo }) =>
    paths.map((path) => `${method} ${path} ${operation} ${deniedTo.join(',') || '-'}`),
  );
  assert.deepEqual(found.sort(), expected.sort());
});
