/** Values made from schemas: those that fit, those that almost fit, and those that nobody should send. */
import type { Schema } from '../support/api-document.ts';
import type { Pool } from './pool.ts';

/** Text that is put into a JSON document as it stands, for what JSON.stringify would never write. */
export class Verbatim {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

const DEEP = 2000;
const LONG = 70_000;

/** Made once: some of them are large. */
const HOSTILE: readonly unknown[] = [
  null,
  true,
  '',
  ' ',
  '\0',
  'a\0b',
  '__proto__',
  'constructor',
  'toString',
  '../../etc/passwd',
  '%00',
  '%2e%2e%2f',
  "' OR 1=1 --",
  '*',
  '.',
  ',',
  '[',
  '(a+)+$',
  '\ufeff',
  '\u202e',
  '💥',
  'ÿ',
  'x'.repeat(65),
  'x'.repeat(1025),
  'x'.repeat(LONG),
  new Verbatim('"\\ud800"'),
  new Verbatim('"\\udfff\\ud800x"'),
  0,
  -1,
  -0.5,
  1.5,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  -(2 ** 63),
  1e308,
  5e-324,
  new Verbatim('1e999'),
  new Verbatim('-1e999'),
  new Verbatim('9223372036854775807'),
  new Verbatim('9223372036854775808'),
  new Verbatim(`1${'0'.repeat(400)}`),
  '9223372036854775807',
  '9223372036854775808',
  '-1',
  '1e3',
  '0x10',
  '00',
  'NaN',
  'Infinity',
  'shardId--000000001',
  'shardId-99999999999999999999',
  [],
  {},
  [[]],
  [null],
  new Verbatim('{"__proto__":{"x":1},"constructor":{"prototype":{"y":1}}}'),
  new Verbatim('{"a":1,"a":2}'),
  new Verbatim(`${'['.repeat(DEEP)}${']'.repeat(DEEP)}`),
  new Verbatim(`${'{"a":'.repeat(DEEP)}1${'}'.repeat(DEEP)}`),
  new Verbatim(`[${'0,'.repeat(20_000)}0]`),
];

const HOSTILE_BY_TYPE = Map.groupBy(HOSTILE, (value) => typeof value);

export class Values {
  readonly #random: () => number;
  readonly #pool: Pool;

  constructor(random: () => number, pool: Pool) {
    this.#random = random;
    this.#pool = pool;
  }

  /** One that fits. `name` is what it is called; what is known by that name is preferred. */
  fitting(schema: Schema, name: string): unknown {
    if (schema.const !== undefined) return schema.const;
    const known = this.chance(0.95) ? this.#pool.pick(name) : undefined;
    if (known !== undefined && fits(known, schema)) return known;
    if (schema.enum !== undefined) return this.oneOf(schema.enum);
    if (schema.anyOf !== undefined) {
      // The first is what the member is about; the others say nothing, or say it otherwise.
      return this.fitting(this.chance(0.8) ? schema.anyOf[0]! : this.oneOf(schema.anyOf), name);
    }
    switch (schema.type) {
      case 'object':
        return this.#object(schema);
      case 'array':
        return this.#array(schema, name);
      case 'boolean':
        return this.chance(0.5);
      case 'integer':
      case 'number':
        return this.#number(schema);
      case 'null':
        return null;
      case 'string':
        return this.#text(schema);
      case undefined:
      default:
        return this.oneOf<unknown>(['x', 1, null, {}]);
    }
  }

  /** Half the time of the type of `instead`: what is refused for its type gets no further. */
  hostile(instead?: unknown): unknown {
    const alike = HOSTILE_BY_TYPE.get(typeof instead);
    return this.oneOf(alike !== undefined && this.chance(0.5) ? alike : HOSTILE);
  }

  /** A copy in which one or more places, chosen at random, hold something else or nothing. */
  spoilt(value: unknown): unknown {
    const places = placesOf(value);
    let spoilt = value;
    for (let left = this.chance(0.7) ? 1 : 3; left > 0; left -= 1) {
      spoilt = this.#spoil(spoilt, this.oneOf(places));
    }
    return spoilt;
  }

  chance(probability: number): boolean {
    return this.#random() < probability;
  }

  oneOf<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.#random() * choices.length)]!;
  }

  whole(from: number, to: number): number {
    return from + Math.floor(this.#random() * (to - from + 1));
  }

  bytes(size: number): Buffer {
    return Buffer.from(Array.from({ length: size }, () => this.whole(0, 255)));
  }

  #object({ properties = {}, required = [] }: Schema): Record<string, unknown> {
    const object: Record<string, unknown> = {};
    for (const [name, schema] of Object.entries(properties)) {
      // What the server knows something by says more than the rest.
      if (required.includes(name) || this.chance(this.#pool.knows(name) ? 0.7 : 0.2))
        object[name] = this.fitting(schema, name);
    }
    return object;
  }

  #array({ items, prefixItems, minItems = 0, maxItems = 5 }: Schema, name: string): unknown[] {
    const tuple = prefixItems ?? (Array.isArray(items) ? (items as readonly Schema[]) : undefined);
    if (tuple !== undefined) return tuple.map((schema) => this.fitting(schema, name));
    const length = this.whole(Math.max(minItems, this.chance(0.9) ? 1 : 0), maxItems);
    return Array.from({ length }, () => this.fitting((items as Schema | undefined) ?? {}, name));
  }

  #number({ minimum = 0, maximum = Number.MAX_SAFE_INTEGER }: Schema): number {
    if (this.chance(0.2)) return this.oneOf([minimum, maximum]);
    return this.whole(minimum, Math.min(maximum, minimum + this.oneOf([3, 100, 100_000])));
  }

  #text({ minLength = 0, maxLength = 40 }: Schema): string {
    const length = this.whole(Math.max(minLength, 1), Math.min(maxLength, this.oneOf([8, 40])));
    return Array.from({ length }, () => this.oneOf([...'abcdefghijklmnopqrstuvwxyz0123456789_-'])).join('');
  }

  #spoil(value: unknown, place: readonly string[]): unknown {
    const [key, ...rest] = place;
    if (key === undefined) return this.hostile();
    if (typeof value !== 'object' || value === null || value instanceof Verbatim) return value;
    const copy = (Array.isArray(value) ? [...(value as unknown[])] : { ...value }) as Record<string, unknown>;
    if (rest.length > 0) copy[key] = this.#spoil(copy[key], rest);
    else if (this.chance(0.25)) delete copy[key];
    else if (this.chance(0.1)) copy[`${key}x`] = this.hostile();
    else copy[key] = this.hostile(copy[key]);
    return copy;
  }
}

/** JSON with its verbatim parts in place. */
export function toJson(value: unknown): string {
  if (value instanceof Verbatim) return value.text;
  if (Array.isArray(value)) return `[${value.map((item) => toJson(item)).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(([key, inner]) => `${JSON.stringify(key)}:${toJson(inner)}`);
    return `{${members.join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}

/** The way to every value inside of one, and to itself. */
function placesOf(value: unknown): string[][] {
  if (typeof value !== 'object' || value === null || value instanceof Verbatim) return [[]];
  const inner = Object.entries(value).flatMap(([key, member]) => placesOf(member).map((rest) => [key, ...rest]));
  return [[], ...inner];
}

/** By its type alone. */
function fits(value: unknown, { type, enum: choices, anyOf }: Schema): boolean {
  if (choices !== undefined) return choices.includes(value);
  if (anyOf !== undefined) return anyOf.some((schema) => fits(value, schema));
  switch (type) {
    case undefined:
      return true;
    case 'integer':
    case 'number':
      return typeof value === 'number';
    case 'array':
      return Array.isArray(value);
    case 'null':
      return value === null;
    default:
      return typeof value === type && value !== null;
  }
}
