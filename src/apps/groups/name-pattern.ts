/**
 * Patterns of callers for names of streams, in Java's syntax as far as RE2 has it. RE2 takes a time that grows with pattern
 * and name and never explodes, whatever the pattern; what would need backtracking (back references, look-around,
 * possessive and atomic groups) is refused.
 */
import { RE2JS, RE2JSException } from 're2js';

const MAX_LENGTH = 256;
/** Of the compiled pattern: a name is matched in at most this many steps a character. */
const MAX_STEPS = 5000;
/** Names whose answers are kept. */
const MAX_REMEMBERED = 10_000;
/** Within a class Java intersects with `&&` and nests with `[`, where RE2 sees characters. */
const JAVA_CLASS = /\[[^\]]*(?:&&|\[(?!:))/;

/** A pattern that cannot be used; the message says why. */
export class PatternError extends Error {
  override readonly name = 'PatternError';
}

export class NamePattern {
  readonly text: string;
  readonly #compiled: RE2JS;
  readonly #remembered = new Map<string, boolean>();

  /** Throws PatternError. */
  constructor(text: string) {
    if (text.length > MAX_LENGTH) throw new PatternError(`is longer than ${MAX_LENGTH} characters`);
    if (JAVA_CLASS.test(text)) throw new PatternError('has a class within a class');
    this.text = text;
    this.#compiled = compile(text);
    if (this.#compiled.programSize() > MAX_STEPS) throw new PatternError('is too large');
  }

  /** Whether the whole name matches. */
  matches(name: string): boolean {
    let answer = this.#remembered.get(name);
    if (answer === undefined) {
      answer = this.#compiled.matches(name);
      if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear();
      this.#remembered.set(name, answer);
    }
    return answer;
  }
}

function compile(text: string): RE2JS {
  try {
    return RE2JS.compile(text);
  } catch (error) {
    if (error instanceof RE2JSException) throw new PatternError(error.message, { cause: error });
    throw error;
  }
}
