/**
 * Path templates: directories named for what a record says, such as
 * `country={$.address.country}/dt={yyyy}-{MM}-{dd}/hour={HH}`.
 *
 *   {$.a.b}   a member of the record, dots leading into nested ones; of CSV a column
 *   {key}     its partition key
 *   {partition}   the number of its partition
 *   {yyyy} {MM} {dd} {HH} {mm}   its own time (`processing_schema`), or else its arrival, in the task's time zone
 *
 * A directory has one value at most, so that two values never make the same one, and the parts of time go from coarse to
 * fine without a gap, so that a path stands for a stretch of time.
 */
import { DomainError } from '../../model/errors.ts';
import { MAX_VALUE_CHARACTERS } from './path-value.ts';
import { TIME_PARTS } from './time-slots.ts';

export type TemplatePart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'member'; readonly path: string }
  | { readonly kind: 'key' | 'partition' }
  /** Of TIME_PARTS. */
  | { readonly kind: 'time'; readonly index: number };

export interface PathTemplate {
  /** In order; slashes are in the texts. */
  readonly parts: readonly TemplatePart[];
  /** How many parts of time it has: 0 for none, 5 for minutes. */
  readonly timeDepth: number;
  /** Whether it names members of records. */
  readonly readsMembers: boolean;
}

export const MAX_TEMPLATE_CHARACTERS = 512;
export const MAX_TEMPLATE_VALUES = 8;
/** Bytes of a file's or directory's name in most file systems. */
const MAX_DIRECTORY_CHARACTERS = 255;
const TEXT = /^[A-Za-z0-9_.=-]+$/;

/** Throws InvalidBody, naming path_template, for what is no template. */
export function parseTemplate(template: string): PathTemplate {
  if (template.length > MAX_TEMPLATE_CHARACTERS) refuse(`must be at most ${MAX_TEMPLATE_CHARACTERS} characters`);
  const directories = splitDirectories(template).map(parseDirectory);
  const parts = directories.flatMap((directory, index) => [...(index === 0 ? [] : [SLASH]), ...directory]);
  const times = parts.flatMap((part) => (part.kind === 'time' ? [part.index] : []));
  if (times.some((part, index) => part !== index)) {
    refuse(
      `must have its parts of time in the order ${TIME_PARTS.map((part) => `{${part}}`).join(' ')}, each once, none left out`,
    );
  }
  const values = parts.filter(isValue);
  if (values.length > MAX_TEMPLATE_VALUES) refuse(`must have at most ${MAX_TEMPLATE_VALUES} values`);
  return {
    parts: joinTexts(parts),
    timeDepth: times.length,
    readsMembers: values.some(({ kind }) => kind === 'member'),
  };
}

const SLASH: TemplatePart = { kind: 'text', text: '/' };

/** Slashes within braces are parts of names. */
function splitDirectories(template: string): string[] {
  const directories = [''];
  let inside = false;
  for (const sign of template) {
    if ((sign === '{' && inside) || (sign === '}' && !inside)) refuse('must have its braces in pairs');
    inside = sign === '{' || (inside && sign !== '}');
    if (sign === '/' && !inside) directories.push('');
    else directories[directories.length - 1] += sign;
  }
  if (inside) refuse('must have its braces in pairs');
  if (directories.includes('')) refuse('must be directories between single slashes, without one around them');
  return directories;
}

function parseDirectory(directory: string): TemplatePart[] {
  if (/^[_.]/.test(directory)) refuse('must not have a directory that begins with _ or .');
  const parts = directory.split(/(?=\{)|(?<=\})/).map(parsePart);
  if (parts.filter(isValue).length > 1) {
    refuse('must not have more than one of {$.…}, {key} and {partition} in a directory');
  }
  const longest = parts.reduce((sum, part) => sum + widthOf(part), 0);
  if (longest > MAX_DIRECTORY_CHARACTERS) {
    refuse(
      `must not have directories of more than ${MAX_DIRECTORY_CHARACTERS} characters; a value takes ${MAX_VALUE_CHARACTERS}`,
    );
  }
  return parts;
}

function parsePart(part: string): TemplatePart {
  if (!part.startsWith('{')) {
    if (!TEXT.test(part)) refuse('must be letters, digits, _ . = - and slashes around what is in braces');
    return { kind: 'text', text: part };
  }
  const name = part.slice(1, -1);
  if (name === 'key' || name === 'partition') return { kind: name };
  const index = TIME_PARTS.findIndex((time) => time === name);
  if (index >= 0) return { kind: 'time', index };
  const path = name.startsWith('$.') ? name.slice(2) : '';
  if (path.split('.').includes('')) {
    refuse(
      `must not have {${name}}; there are {$.member}, {key}, {partition}, ${TIME_PARTS.map((time) => `{${time}}`).join(', ')}`,
    );
  }
  return { kind: 'member', path };
}

function isValue({ kind }: TemplatePart): boolean {
  return kind === 'member' || kind === 'key' || kind === 'partition';
}

/** Characters that it takes at most. */
function widthOf(part: TemplatePart): number {
  if (part.kind === 'text') return part.text.length;
  if (part.kind === 'time') return TIME_PARTS[part.index]!.length;
  return part.kind === 'partition' ? 10 : MAX_VALUE_CHARACTERS;
}

function joinTexts(parts: readonly TemplatePart[]): TemplatePart[] {
  const joined: TemplatePart[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    if (part.kind === 'text' && last?.kind === 'text')
      joined[joined.length - 1] = { ...last, text: last.text + part.text };
    else joined.push(part);
  }
  return joined;
}

function refuse(reason: string): never {
  throw new DomainError('InvalidBody', ['path_template', reason]);
}
