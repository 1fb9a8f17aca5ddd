/** The log on Kafka keeps the contract of every record log. */
import { describeRecordLog } from '../support/record-log-contract.ts';
import { startKafka } from '../support/kafka-cluster.ts';
import { openLogOn } from '../support/kafka-log.ts';

describeRecordLog({
  name: 'the log on Kafka',
  measureTolerance: 0.15,
  open: async () => {
    const kafka = await startKafka({ brokers: 3 });
    const { log } = await openLogOn(kafka.bootstrap);
    return {
      log,
      reopen: async () => (await openLogOn(kafka.bootstrap)).log,
      close: async () => {
        await log.close();
        await kafka.stop();
      },
    };
  },
});
