/**
 * Query strings as DIS clients send them: sometimes unencoded, with a trailing `&`, with a parameter twice. The first
 * value of a name wins, `+` is a plus sign, and an absent parameter and an empty one are the same.
 */
import { DomainError } from '../model/errors.ts';

export type Query = Readonly<Record<string, string | undefined>>;

/** Reads the part behind the `?`. Never throws: what is not percent-encoded properly is taken as it stands. */
export function parseQuery(text: string): Record<string, string> {
  const query = Object.create(null) as Record<string, string>;
  if (text === '') return query;
  for (const pair of text.split('&')) {
    const equals = pair.indexOf('=');
    const name = decode(equals === -1 ? pair : pair.slice(0, equals));
    if (name !== '' && query[name] === undefined) query[name] = equals === -1 ? '' : decode(pair.slice(equals + 1));
  }
  return query;
}

/** A parameter's text, or undefined when it is absent or empty. */
export function textParameter(query: Query, name: string): string | undefined {
  return query[name] || undefined;
}

/** A whole number from `min` to `max`, or `fallback` when it is absent. Throws InvalidRequest. */
export function integerParameter(
  query: Query,
  name: string,
  { min, max, fallback }: { readonly min: number; readonly max: number; readonly fallback: number },
): number {
  const text = textParameter(query, name);
  if (text === undefined) return fallback;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new DomainError('InvalidRequest', [name, `must be a whole number from ${min} to ${max}`]);
}

function decode(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
