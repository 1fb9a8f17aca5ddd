/**
 * What a signature is made with. The secret itself (direct); the secret drawn through date, region, service and a fixed
 * word, one HMAC after the other (chained); the hex text of an HKDF over the secret (derived); or that text drawn through
 * the same chain (derived-chained).
 */
import { createHmac } from 'node:crypto';
import type { Authorization, CredentialScope } from './parse-authorization.ts';

/** One that is not among the last ones is made again: a dozen HMACs at most. */
const KEPT = 1024;
/**
 * The Java DIS SDK in its newest sources derives with this word where the name of its region belongs, and signs with the
 * region in everything else.
 */
const JAVA_REGION = 'region';

export type SigningKey = string | Buffer;

export class SigningKeys {
  /** The one made longest ago comes first. */
  readonly #kept = new Map<string, readonly SigningKey[]>();

  /** Keys to try in this order: one, but for the derived-chained family, where clients disagree. */
  of({ family, accessKey, scope }: Authorization, secretKey: string): readonly SigningKey[] {
    if (scope === undefined) return [secretKey];
    const name = JSON.stringify([family, accessKey, secretKey, scope.text]);
    const kept = this.#kept.get(name);
    if (kept !== undefined) return kept;
    const keys = derive(family, accessKey, secretKey, scope);
    this.#kept.set(name, keys);
    if (this.#kept.size > KEPT) {
      const oldest = this.#kept.keys().next().value;
      if (oldest !== undefined) this.#kept.delete(oldest);
    }
    return keys;
  }
}

function derive(
  family: Authorization['family'],
  accessKey: string,
  secretKey: string,
  scope: CredentialScope,
): readonly SigningKey[] {
  const { date, region, service } = scope;
  const derived = (named: string) => hkdfText(accessKey, secretKey, `${date}/${named}/${service}`);
  switch (family) {
    case 'direct':
      return [secretKey];
    case 'chained':
      return [chain(secretKey, scope)];
    case 'derived':
      return [derived(region)];
    case 'derived-chained':
      return [region, JAVA_REGION].map((named) => chain(derived(named), scope));
  }
}

function chain(secret: string, { date, region, service }: CredentialScope): Buffer {
  return [date, region, service, 'sdk_request'].reduce(hmac, Buffer.from(`SDK${secret}`));
}

/** HKDF-SHA256 (RFC 5869) of 32 bytes: one round of each step. The text is the key, not the bytes that it spells. */
function hkdfText(accessKey: string, secretKey: string, info: string): string {
  const extracted = createHmac('sha256', accessKey).update(secretKey).digest();
  return hmac(extracted, `${info}\u0001`).toString('hex');
}

/** `text` came over the wire: one character a byte. */
function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text, 'latin1').digest();
}
