/** An OpenAPI document as a list of operations, with everything that it refers to put in place. */

export interface ApiDocument {
  readonly openapi: string;
  readonly info: { readonly version: string };
  readonly servers: readonly unknown[];
  readonly tags: readonly { readonly name: string }[];
  readonly security: readonly unknown[];
  readonly components: {
    readonly securitySchemes: Readonly<
      Record<string, { readonly type: string; readonly in: string; readonly name: string }>
    >;
  };
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** JSON Schema, as far as the API uses it. */
export interface Schema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema | readonly Schema[];
  readonly prefixItems?: readonly Schema[];
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
}

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required: boolean;
  readonly description?: string;
  readonly schema: Schema;
}

export interface AnswerDescription {
  readonly description: string;
  readonly headers: Readonly<Record<string, unknown>>;
  /** Schemas by content type; undefined for no body. */
  readonly content: Readonly<Record<string, Schema>> | undefined;
}

export interface Operation {
  readonly id: string;
  readonly method: string;
  /** With `{name}` for each parameter. */
  readonly path: string;
  readonly summary: string;
  readonly tags: readonly string[];
  /** Empty for an operation that is open to everybody. */
  readonly security: readonly unknown[];
  readonly parameters: readonly Parameter[];
  readonly body: { readonly required: boolean; readonly content: Readonly<Record<string, Schema>> } | undefined;
  /** By status. */
  readonly answers: ReadonlyMap<number, AnswerDescription>;
  /** The one of every other status. */
  readonly fallback: AnswerDescription | undefined;
}

type Json = Readonly<Record<string, unknown>>;

export function readOperations(document: ApiDocument): Operation[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, described]) =>
      readOperation(document, path, method.toUpperCase(), resolve(document, described) as Json),
    ),
  );
}

function readOperation(document: ApiDocument, path: string, method: string, described: Json): Operation {
  const body = described['requestBody'] as { required?: boolean; content: Content } | undefined;
  const { default: fallback, ...answers } = described['responses'] as Record<string, AnswerText>;
  return {
    id: described['operationId'] as string,
    method,
    path,
    summary: (described['summary'] as string | undefined) ?? '',
    tags: (described['tags'] as string[] | undefined) ?? [],
    security: (described['security'] as unknown[] | undefined) ?? document.security,
    parameters: (described['parameters'] as Parameter[] | undefined) ?? [],
    body: body && { required: body.required ?? false, content: schemasOf(body.content) },
    answers: new Map(Object.entries(answers).map(([status, answer]) => [Number(status), readAnswer(answer)])),
    fallback: fallback && readAnswer(fallback),
  };
}

type Content = Readonly<Record<string, { readonly schema?: Schema }>>;

interface AnswerText {
  readonly description: string;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly content?: Content;
}

function readAnswer({ description, headers = {}, content }: AnswerText): AnswerDescription {
  return { description, headers, content: content && schemasOf(content) };
}

function schemasOf(content: Content): Record<string, Schema> {
  return Object.fromEntries(Object.entries(content).map(([type, { schema = {} }]) => [type, schema]));
}

/** A copy in which every local reference is replaced by what it refers to. Throws when there is nothing. */
function resolve(document: ApiDocument, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => resolve(document, item));
  if (typeof value !== 'object' || value === null) return value;
  const { $ref: reference } = value as { readonly $ref?: unknown };
  if (typeof reference === 'string') {
    const found = reference
      .slice('#/'.length)
      .split('/')
      .reduce<unknown>((at, key) => (at as Json | undefined)?.[key], document);
    if (found === undefined) throw new Error(`the API description refers to ${reference}, which is not there`);
    return resolve(document, found);
  }
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, resolve(document, inner)]));
}
