/**
 * The description of the API in OpenAPI 3.1, made of the very schemas that bodies are checked with and queries are read
 * by. What routes have in common is said here once: authentication, refusals, request ids, paths. Nothing is made before
 * somebody asks for it.
 */
import { STATUS_CODES } from 'node:http';
import { fastifySwagger, type FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import type { FastifyContextConfig } from 'fastify';
import { readVersion } from '../../version.ts';
import type { App } from '../fastify-types.ts';
import { PROTOBUF_TYPE } from '../media-types.ts';
import { refusalsOf, REQUEST_ID, sharedRefusals, SHARED_SCHEMAS } from './refusals.ts';
import { documentedPath, pathParameters, RESOURCES, resourceOf } from './resources.ts';

const INTRODUCTION = `The HTTP API of Huawei Cloud DIS as Sluice serves it. docs/PROTOCOL.md lists every decision taken
where the public documents leave room.

- Paths work with and without a slash at the end.
- In bodies unknown members are ignored; absent, null and "" mean the same in optional members.
- Bodies may be compressed: \`Content-Encoding\` lz4, snappy or zstd, as the Java SDK does it.
- Every refusal carries its code and text twice, since the two client families read one pair of members each.`;

const SECURITY_SCHEMES = {
  token: { type: 'apiKey', in: 'header', name: 'X-Auth-Token', description: 'a token of POST /v3/auth/tokens' },
  signature: {
    type: 'apiKey',
    in: 'header',
    name: 'Authorization',
    description: 'a signature with an access key, as the SDKs make it; needs X-Sdk-Date too',
  },
};

/** Operations whose answers may be protobuf messages, those of the Java SDK. */
const PROTOBUF_ANSWERS = ['putRecords', 'getRecords'];

/** As far as it is completed here. */
interface Operation {
  readonly operationId: string;
  readonly requestBody?: { required: boolean; readonly content: Record<string, unknown> };
  responses: Record<string, Answer | { readonly $ref: string }>;
}

interface Answer {
  description: string;
  headers?: Record<string, unknown>;
  readonly content?: Record<string, unknown>;
}

type Paths = Readonly<Record<string, Readonly<Record<string, Operation>>>>;

/** To be called before the routes are added. `app.swagger()` makes the document, once the application is ready. */
export function describeApi(app: App, authFailureStatus: number): void {
  /** By operation. */
  const configs = new Map<string, FastifyContextConfig>();
  const options = {
    openapi: documentFrame(authFailureStatus),
    convertConstToEnum: false,
    transform: ({ schema, url, route }) => {
      const config = route.config ?? {};
      configs.set(config.operation ?? '', config);
      const described = {
        ...schema,
        operationId: config.operation ?? '',
        tags: [resourceOf(url)],
        params: pathParameters(url),
        ...(config.public === true ? { security: [] } : {}),
      };
      return { url: documentedPath(url), schema: described };
    },
    transformObject: (document) => {
      const { openapiObject } = document as { readonly openapiObject: { readonly paths: Paths } };
      for (const methods of Object.values(openapiObject.paths)) {
        for (const [method, operation] of Object.entries(methods)) {
          complete(operation, method, configs.get(operation.operationId) ?? {}, authFailureStatus);
        }
      }
      return openapiObject;
    },
  } satisfies FastifyDynamicSwaggerOptions;
  // Called, and not registered: a registered plugin is loaded after the routes were added, and would not see them.
  fastifySwagger(app, options, () => undefined);
}

/** All that is not about one operation. */
function documentFrame(authFailureStatus: number): NonNullable<FastifyDynamicSwaggerOptions['openapi']> {
  const requestId = { schema: { type: 'string' }, description: 'under which the server knows the request' };
  const frame = {
    openapi: '3.1.0',
    info: { title: 'Sluice', version: readVersion(), description: INTRODUCTION, license: { name: 'Apache-2.0' } },
    servers: [{ url: '/' }],
    tags: Object.entries(RESOURCES).map(([name, description]) => ({ name, description })),
    security: [{ token: [] }, { signature: [] }],
    components: {
      securitySchemes: SECURITY_SCHEMES,
      headers: { 'X-Request-Id': requestId },
      schemas: SHARED_SCHEMAS,
      responses: sharedRefusals(authFailureStatus),
    },
  };
  return frame as ReturnType<typeof documentFrame>;
}

/** Adds what every operation of its kind has. */
function complete(operation: Operation, method: string, config: FastifyContextConfig, authFailureStatus: number): void {
  const { operationId, requestBody, responses } = operation;
  if (requestBody !== undefined) {
    requestBody.required = config.optionalBody !== true;
    if (config.protobuf === true) requestBody.content[PROTOBUF_TYPE] = {};
  }
  for (const [status, answer] of Object.entries(responses)) {
    if ('$ref' in answer) continue;
    if (answer.description === 'Default Response') answer.description = STATUS_CODES[status] ?? status;
    answer.headers = { ...REQUEST_ID, ...answer.headers };
    if (PROTOBUF_ANSWERS.includes(operationId) && answer.content) answer.content[PROTOBUF_TYPE] = {};
  }
  const traits = { public: config.public === true, hasBody: requestBody !== undefined, changes: method !== 'get' };
  operation.responses = { ...responses, ...refusalsOf(traits, authFailureStatus) };
}
