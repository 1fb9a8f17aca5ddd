import assert from 'node:assert/strict';
import test from 'node:test';
import { statusAfterWork, TASK_STATES, type PartitionWork, type TaskState } from './task-state.ts';

const INTERVAL = 1000;
const NOW = 100_000;
const IDLE: PartitionWork = {
  position: 0,
  end: null,
  lastTransferAt: null,
  allDead: false,
  planned: false,
  failing: false,
};
const FAILING = { ...IDLE, planned: true, failing: true };
const DELIVERED = { ...IDLE, lastTransferAt: NOW };
const DEAD = { ...DELIVERED, allDead: true };

const after = (state: TaskState, work: readonly PartitionWork[], draining = false) =>
  statusAfterWork({ state, draining }, work, INTERVAL);
const stateAfter = (work: readonly PartitionWork[]) => after('RUNNING', work).state;

test('running, unless a file fails', () => {
  assert.equal(stateAfter([]), 'RUNNING');
  assert.equal(stateAfter([IDLE, DELIVERED]), 'RUNNING');
  assert.equal(stateAfter([IDLE, FAILING]), 'ABNORMAL');
  for (const state of ['STARTING', 'ABNORMAL', 'ERROR'] as const) assert.equal(after(state, [IDLE]).state, 'RUNNING');
});

test('ERROR: dead letters and nothing else, also while a file fails; partitions that never delivered say nothing', () => {
  assert.equal(stateAfter([DEAD, IDLE]), 'ERROR');
  assert.equal(stateAfter([DEAD, FAILING]), 'ERROR');
  assert.equal(stateAfter([DEAD, { ...DEAD, lastTransferAt: 5 }]), 'ERROR');
  assert.equal(stateAfter([DEAD, DELIVERED]), 'RUNNING');
});

test('a partition that has been silent for more than three intervals says nothing either', () => {
  const last = (ago: number) => ({ ...DELIVERED, lastTransferAt: NOW - ago });
  assert.equal(stateAfter([DEAD, last(3 * INTERVAL)]), 'RUNNING');
  assert.equal(stateAfter([DEAD, last(3 * INTERVAL + 1)]), 'ERROR');
  assert.equal(stateAfter([{ ...DEAD, lastTransferAt: NOW - 3 * INTERVAL - 1 }, DELIVERED]), 'RUNNING');
});

test('draining ends in PAUSED when nothing is planned, and keeps the state until then', () => {
  assert.deepEqual(after('RUNNING', [IDLE, { ...IDLE, planned: true }], true), { state: 'RUNNING', draining: true });
  assert.deepEqual(after('RUNNING', [FAILING], true), { state: 'ABNORMAL', draining: true });
  assert.deepEqual(after('ERROR', [DEAD, IDLE], true), { state: 'PAUSED', draining: false });
});

test('FINISHED when every partition has reached its end, also for a task that is stopped', () => {
  const through = { ...IDLE, position: 7, end: 7 };
  for (const state of ['STARTING', 'RUNNING', 'ABNORMAL', 'ERROR', 'PAUSED'] as const) {
    assert.equal(after(state, [through, { ...DEAD, position: 3, end: 3 }]).state, 'FINISHED');
  }
  assert.equal(stateAfter([through, { ...through, position: 6 }]), 'RUNNING');
  assert.equal(stateAfter([through, IDLE]), 'RUNNING');
  assert.equal(after('RUNNING', [through], true).state, 'FINISHED');
});

test('PAUSED, FINISHED and DELETE are left by nobody but those who order it', () => {
  for (const state of ['PAUSED', 'FINISHED', 'DELETE'] as const) {
    for (const work of [[], [IDLE], [FAILING], [DEAD]]) {
      assert.deepEqual(after(state, work), { state, draining: false });
    }
  }
  assert.equal(TASK_STATES.length, 7);
});
