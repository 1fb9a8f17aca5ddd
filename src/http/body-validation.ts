/**
 * Checks bodies against the typebox schemas of their routes: compiled once, nothing coerced, nothing removed, unknown
 * members ignored. What is wrong becomes InvalidBody with the path of the member and what it must be.
 */
import type { FastifySchemaCompiler } from 'fastify';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { DomainError } from '../model/errors.ts';

export const validateBody: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  // Parameters are read, and refused, by `query.ts`; their schemas are for the API description.
  if (httpPart !== 'body') return (value: unknown) => ({ value });
  const validator = Compile(schema);
  return (value: unknown) => {
    // Bytes get here on routes alone that read them themselves, see request-body.ts.
    if (Buffer.isBuffer(value) || validator.Check(value)) return { value };
    // Fastify shows a body that is not there as null.
    return { error: value === null ? new DomainError('EmptyRequest') : describe(validator.Errors(value)) };
  };
};

type Errors = ReturnType<ReturnType<typeof Compile>['Errors']>;

function describe(errors: Errors): DomainError {
  const [first] = errors;
  if (first === undefined) return new DomainError('InvalidBody');
  const path = first.instancePath.slice(1).replaceAll('/', '.');
  if (first.keyword === 'required') {
    const missing = first.params.requiredProperties[0] ?? '';
    return new DomainError('InvalidBody', [path === '' ? missing : `${path}.${missing}`, 'is missing']);
  }
  const allowed = first.keyword === 'enum' ? first.params.allowedValues.filter(Boolean).join(', ') : undefined;
  return new DomainError('InvalidBody', [
    path || 'body',
    allowed === undefined ? first.message : `must be one of ${allowed}`,
  ]);
}
