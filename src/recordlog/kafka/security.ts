/** What the settings say about where the brokers are and how to be let in. */
import { readFile } from 'node:fs/promises';
import type { ConnectionOptions } from '@platformatic/kafka';
import type { Address } from './brokers.ts';
import type { KafkaSettings } from './kafka-settings.ts';

const MECHANISMS = { plain: 'PLAIN', 'scram-sha-256': 'SCRAM-SHA-256', 'scram-sha-512': 'SCRAM-SHA-512' } as const;

export function bootstrapOf({ brokers = '' }: KafkaSettings): Address[] {
  return brokers.split(',').map((broker) => {
    const colon = broker.lastIndexOf(':');
    return { host: broker.slice(0, colon), port: Number(broker.slice(colon + 1)) };
  });
}

/** Undefined when brokers are not told who we are. */
export function saslOf(settings: KafkaSettings): ConnectionOptions['sasl'] {
  const { sasl_mechanism, sasl_username = '', sasl_password = '' } = settings;
  if (sasl_mechanism === undefined) return undefined;
  return { mechanism: MECHANISMS[sasl_mechanism], username: sasl_username, password: sasl_password };
}

/** Undefined without TLS. Rejects when a file cannot be read. */
export async function tlsOf({ tls, tls_ca, tls_cert, tls_key }: KafkaSettings): Promise<ConnectionOptions['tls']> {
  if (!tls) return undefined;
  const [ca, cert, key] = await Promise.all([
    readSetting('kafka.tls_ca', tls_ca),
    readSetting('kafka.tls_cert', tls_cert),
    readSetting('kafka.tls_key', tls_key),
  ]);
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

async function readSetting(name: string, path: string | undefined): Promise<Buffer | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(path);
  } catch (error) {
    throw new Error(`${name}: ${(error as Error).message}`, { cause: error });
  }
}
