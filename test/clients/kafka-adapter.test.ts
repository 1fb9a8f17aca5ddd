/** The Kafka adapter, the one client that uses consumer groups; its heartbeat makes it take most of a minute. */
import { describe } from 'node:test';
import { java, type ClientProgram } from './programs.ts';
import { testProgram } from './test-program.ts';
import { JAVA_KAFKA } from './toolchain.ts';

const PROGRAM: ClientProgram = {
  name: 'Kafka adapter',
  form: { signature: 'S1', form: 'json', compression: 'none' },
  steps: [
    'create stream',
    'one consumer owns every partition',
    'a second consumer takes half',
    'produce records',
    'both consume every record once',
    'commit and leave',
    'the first takes over',
    'produce more records',
    'it goes on where the other stopped',
    'the last one leaves',
    'a new consumer finds the committed numbers',
    'a consumer by pattern reads everything',
  ],
  command: (trust) => java(JAVA_KAFKA.classPath, 'clients.KafkaGroup', trust),
};

describe('Kafka adapter', { concurrency: 2 }, () => {
  testProgram(PROGRAM, 'http');
  testProgram(PROGRAM, 'tls');
});
