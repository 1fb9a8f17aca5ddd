/** An OpenAPI document, as far as one needs to know it to find its way. */
import Type from 'typebox';

export const OpenapiReply = Type.Object({
  openapi: Type.String({ pattern: '^3\\.1\\.' }),
  info: Type.Object({ title: Type.String(), version: Type.String() }),
  paths: Type.Record(Type.String(), Type.Unknown()),
});
