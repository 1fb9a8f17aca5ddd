/** The log on a Kafka that wants to know who asks, over TLS: each way of logging in, and what is wrong with it. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { KafkaSettings } from '../../src/recordlog/kafka/kafka-settings.ts';
import { startKafka, type KafkaCluster } from '../support/kafka-cluster.ts';
import { openLogOn } from '../support/kafka-log.ts';
import { batchOf, recordsOf } from '../support/records.ts';

const USER = { name: 'sluice', password: 'open-sesame-1' };

describe('the log on Kafka with SASL and TLS', () => {
  let kafka: KafkaCluster;
  let settings: Partial<KafkaSettings>;

  before(async () => {
    kafka = await startKafka({ brokers: 1, user: USER, tls: true });
    settings = {
      tls: true,
      tls_ca: kafka.ca!,
      sasl_username: USER.name,
      sasl_password: USER.password,
      timeout_ms: 3000,
    };
  });
  after(() => kafka.stop());

  for (const [stream, mechanism] of (['plain', 'scram-sha-256', 'scram-sha-512'] as const).entries()) {
    test(`${mechanism}: records go in and out`, async () => {
      const { log } = await openLogOn(kafka.bootstrap, { ...settings, sasl_mechanism: mechanism, timeout_ms: 10_000 });
      const ref = { stream, partition: 0 };
      await log.addPartitions([ref]);
      const [outcome] = await log.append([batchOf(ref, [{ data: mechanism }])]);
      assert.ok(outcome !== undefined && 'firstSequence' in outcome);
      assert.equal(recordsOf(await log.read(ref, 0, 1))[0]?.data, mechanism);
      await log.close();
    });

    test(`${mechanism}: a wrong password is told`, async () => {
      const wrong = { ...settings, sasl_mechanism: mechanism, sasl_password: 'wrong' };
      await assert.rejects(openLogOn(kafka.bootstrap, wrong), /The record log cannot be reached/);
    });
  }

  test('a certificate that nobody we trust has signed is refused', async () => {
    const { tls_ca, ...rest } = settings;
    assert.ok(tls_ca !== undefined);
    await assert.rejects(openLogOn(kafka.bootstrap, { ...rest, sasl_mechanism: 'plain' }), /certificate/);
  });

  test('a file that is not there is named', async () => {
    const wrong = { ...settings, tls_ca: '/nowhere/ca.pem' };
    await assert.rejects(openLogOn(kafka.bootstrap, wrong), /kafka\.tls_ca: ENOENT/);
  });
});
