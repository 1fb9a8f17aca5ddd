/**
 * Passwords as scrypt hashes: `scrypt$N$r$p$<salt>$<hash>`, salt and hash in Base64. A hash keeps its own cost, so that
 * the default can be raised later. Few run at a time: each takes a thread of libuv's small pool, which the disk needs too.
 */
import { scrypt, timingSafeEqual, type ScryptOptions } from 'node:crypto';
import { promisify } from 'node:util';
import { DomainError } from '../model/errors.ts';
import type { Random } from '../platform/random.ts';

export interface ScryptCost {
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

/** OWASP's setting with the least memory, 16 MiB a hash; as strong as its others. */
const DEFAULT_COST: ScryptCost = { N: 16_384, r: 8, p: 5 };
const SALT_BYTES = 16;
const HASH_BYTES = 32;

/** Hashes at a time, and logins that wait for their turn before more are turned away. */
const AT_A_TIME = 2;
const WAITING = 64;

const FORM = /^scrypt\$(\d+)\$(\d+)\$(\d+)\$([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+)$/;

const derive = promisify<string, Uint8Array, number, ScryptOptions, Buffer>(scrypt);

export interface PasswordsOptions {
  readonly random: Random;
  /** Of new hashes. Tests take a cheaper one. */
  readonly cost?: ScryptCost;
}

export class Passwords {
  readonly #random: Random;
  readonly #cost: ScryptCost;
  /** Checked against when there is no user, so that a wrong name takes as long as a wrong password. */
  readonly #nobody: string;
  readonly #queue: (() => void)[] = [];
  #running = 0;

  constructor({ random, cost = DEFAULT_COST }: PasswordsOptions) {
    this.#random = random;
    this.#cost = cost;
    this.#nobody = format(cost, random.bytes(SALT_BYTES), random.bytes(HASH_BYTES));
  }

  async hash(password: string): Promise<string> {
    const salt = this.#random.bytes(SALT_BYTES);
    return format(this.#cost, salt, await this.#derive(password, salt, this.#cost));
  }

  /**
   * Tells whether `password` made `stored`; false for undefined (no such user) and for an unreadable hash, after the
   * same work. `admit` is called when the turn has come and may refuse by throwing. TooManyRequests: too many wait.
   */
  async verify(password: string, stored: string | undefined, admit?: () => void): Promise<boolean> {
    const readable = parse(stored ?? '');
    const { cost, salt, hash } = readable ?? parse(this.#nobody)!;
    const derived = await this.#derive(password, salt, cost, admit);
    return timingSafeEqual(derived, hash) && readable !== undefined;
  }

  async #derive(password: string, salt: Uint8Array, cost: ScryptCost, admit?: () => void): Promise<Buffer> {
    if (this.#running >= AT_A_TIME) {
      if (this.#queue.length >= WAITING) throw new DomainError('TooManyRequests');
      await new Promise<void>((resolve) => this.#queue.push(resolve));
    } else {
      this.#running++;
    }
    try {
      admit?.();
      // The same password typed on two systems may differ in how accents are composed.
      return await derive(password.normalize('NFKC'), salt, HASH_BYTES, { ...cost, maxmem: 256 * cost.N * cost.r });
    } finally {
      // The place goes to the next in line, so that none can jump the queue.
      const next = this.#queue.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}

function format({ N, r, p }: ScryptCost, salt: Buffer, hash: Buffer): string {
  return ['scrypt', N, r, p, salt.toString('base64'), hash.toString('base64')].join('$');
}

function parse(stored: string): { cost: ScryptCost; salt: Buffer; hash: Buffer } | undefined {
  const [, N, r, p, salt, hash] = FORM.exec(stored) ?? [];
  if (salt === undefined || hash === undefined) return undefined;
  const bytes = Buffer.from(hash, 'base64');
  if (bytes.length !== HASH_BYTES) return undefined;
  return { cost: { N: Number(N), r: Number(r), p: Number(p) }, salt: Buffer.from(salt, 'base64'), hash: bytes };
}
