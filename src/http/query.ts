/**
 * Query strings as DIS clients send them: sometimes unencoded, with a trailing `&`, with a parameter twice. Of the
 * values of one name the smallest wins (by code unit), whatever their order: signatures do not cover it. `+` is a plus sign,
 * and an absent parameter and an empty one are the same.
 *
 * A route says once what its parameters are: `queryOf` makes of it what reads and checks them and what describes them.
 */
import Type, { type TSchema } from 'typebox';
import { DomainError } from '../model/errors.ts';

export type Query = Readonly<Record<string, string | undefined>>;

/** One parameter: how it is described, and how its text (undefined when absent) becomes a value. */
export interface Parameter<T> {
  readonly schema: TSchema;
  read(text: string | undefined, name: string): T;
}

/** Reads the part behind the `?`. Never throws: what is not percent-encoded properly is taken as it stands. */
export function parseQuery(text: string): Record<string, string> {
  const query = Object.create(null) as Record<string, string>;
  if (text === '') return query;
  for (const pair of text.split('&')) {
    const equals = pair.indexOf('=');
    const name = decode(equals === -1 ? pair : pair.slice(0, equals));
    if (name === '') continue;
    const value = equals === -1 ? '' : decode(pair.slice(equals + 1));
    const other = query[name];
    if (!other || (value !== '' && value < other)) query[name] = value;
  }
  return query;
}

type Parameters = Readonly<Record<string, Parameter<unknown>>>;
type ValuesOf<P extends Parameters> = { [K in keyof P]: P[K] extends Parameter<infer T> ? T : never };

/**
 * The parameters of a route: `schema` describes them, `read` gives their values and throws what the parameters throw.
 * `readStrictly` also throws InvalidRequest for other parameters and for empty ones.
 */
export function queryOf<P extends Parameters>(parameters: P) {
  const entries = Object.entries(parameters);
  const read = (query: Query): ValuesOf<P> => {
    const values: Record<string, unknown> = {};
    for (const [name, parameter] of entries) values[name] = parameter.read(query[name] || undefined, name);
    return values as ValuesOf<P>;
  };
  return {
    schema: Type.Object(Object.fromEntries(entries.map(([name, { schema }]) => [name, schema]))),
    read,
    readStrictly: (query: Query): ValuesOf<P> => {
      for (const [name, value] of Object.entries(query)) {
        const known = Object.hasOwn(parameters, name);
        if (known && value !== '') continue;
        const reason = known ? 'is empty' : `is none of ${Object.keys(parameters).join(', ')}`;
        throw new DomainError('InvalidRequest', [name.slice(0, 64), reason]);
      }
      return read(query);
    },
  };
}

/** Any text; whoever uses it says what is wrong with it. */
export function text(description: string): Parameter<string | undefined> {
  return { schema: Type.Optional(Type.String({ description })), read: (value) => value };
}

/** Text that must be there. Throws InvalidRequest. */
export function requiredText(description: string): Parameter<string> {
  return {
    schema: Type.String({ description, minLength: 1 }),
    read(value, name) {
      if (value === undefined) throw new DomainError('InvalidRequest', [name, 'is missing']);
      return value;
    },
  };
}

/** Text that must be there, where whoever uses it has an error of its own for its absence. */
export function expectedText(description: string): Parameter<string | undefined> {
  return { schema: Type.String({ description, minLength: 1 }), read: (value) => value };
}

/** One of `values`, or undefined. Throws InvalidRequest. */
export function oneOf<T extends string>(values: readonly T[], description: string): Parameter<T | undefined> {
  return {
    schema: Type.Optional(Type.Unsafe<T>({ type: 'string', enum: [...values], description })),
    read(value, name) {
      const known = values.find((candidate) => candidate === value);
      if (known === undefined && value !== undefined) {
        throw new DomainError('InvalidRequest', [name, `must be one of ${values.join(', ')}`]);
      }
      return known;
    },
  };
}

/** `true` or `false`; absent is false. Throws InvalidRequest. */
export function flag(description: string): Parameter<boolean> {
  const choice = oneOf(['true', 'false'], description);
  return {
    schema: Type.Optional(Type.Boolean({ default: false, description })),
    read: (value, name) => choice.read(value, name) === 'true',
  };
}

/** A whole number from `min` to `max`, or `fallback` when it is absent. Throws InvalidRequest. */
export function integer(
  { min, max, fallback }: { readonly min: number; readonly max: number; readonly fallback: number },
  description: string,
): Parameter<number> {
  return {
    schema: Type.Optional(Type.Integer({ minimum: min, maximum: max, default: fallback, description })),
    read(value, name) {
      if (value === undefined) return fallback;
      const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
      if (number >= min && number <= max) return number;
      throw new DomainError('InvalidRequest', [name, `must be a whole number from ${min} to ${max}`]);
    },
  };
}

function decode(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
