// SPDX-License-Identifier: MIT
//
// Answers that belong to somebody else: found at once, named with both callers; and not imagined.
import assert from 'node:assert/strict';
import test from 'node:test';
import { assertRan, baseline, endOfRun, errorCounts, run, startRun } from './lib/mcpdrill.mjs';
import { callsBegan, startMock } from './lib/mock.mjs';
import { echoScenario, startRecorder } from './lib/recorder.mjs';

const NONCE = /mcpd-[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{12}/g;

const withIntegrity = (scenario) => {
  scenario.workload.integrity = true;
  return scenario;
};

function mismatches(result) {
  return Object.entries(errorCounts(result))
    .filter(([key]) => key.includes('/INTEGRITY_MISMATCH/'))
    .reduce((all, [, count]) => all + count, 0);
}

test('swapped answers are found within a second, with both callers, exit code 4', async (t) => {
  const mock = await startMock(t, ['--seed', '1', '--threads', '1']);
  const running = startRun(
    withIntegrity(
      baseline({
        url: mock.url,
        vus: 16,
        ms: 15_000,
        workload: { think_time: { mode: 'fixed', base_ms: 5 } },
        stage: {
          stop_conditions: [
            { id: 'mixed-up', metric: 'integrity_mismatches', comparator: '>', threshold: 0, window_ms: 1000 },
          ],
        },
      }),
    ),
  );
  await callsBegan(mock, 100);
  const since = performance.now();
  await mock.faults({ swap_answers: 0.01 });
  const end = await endOfRun(running);
  const took = (performance.now() - since) / 1000;
  assert.equal(end.code, 4, end.said);
  assert.equal(end.result.stop.condition_id, 'mixed-up');
  // A second until the end of the window, one for its evaluation, and the drain; the stage lasts 15 s.
  assert.ok(took < 9, `the run ended ${took} s after the fault`);
  const found = end.result.errors.find(({ code }) => code === 'INTEGRITY_MISMATCH');
  assert.ok(found, JSON.stringify(errorCounts(end.result)));
  const callers = new Set(`${found.sample}`.match(/VU \d+, operation \d+/g) ?? []);
  assert.equal(callers.size, 2, `both callers are named: ${found.sample}`);
  assert.match(end.stdout, /another caller|wrong caller|mixed|integrity/i, 'the summary says so');
});

test('each swapped answer is one finding, also without a condition; exit code 4', async (t) => {
  const mock = await startMock(t, ['--seed', '3', '--threads', '1']);
  await mock.faults({ swap_answers: 0.02 });
  const end = await run(withIntegrity(baseline({ url: mock.url, vus: 16, ms: 2000 })));
  assert.equal(end.code, 4, end.said);
  const { answers_swapped: swapped } = await mock.stats();
  assert.ok(swapped > 10, `${swapped} answers were swapped`);
  assert.equal(mismatches(end.result), swapped);
  assert.equal(end.result.totals.integrity_mismatches, swapped);
  assert.equal(end.result.totals.operations_failed, swapped);
  // Texts beyond 200 new ones a second have a row of their own.
  assert.deepEqual(
    [...new Set(end.result.errors.map(({ type, code }) => `${type}/${code}`))],
    ['check_failed/INTEGRITY_MISMATCH'],
  );
});

test('without integrity the swap goes unnoticed: that is what it is for', async (t) => {
  const mock = await startMock(t, ['--seed', '3', '--threads', '1']);
  await mock.faults({ swap_answers: 0.02 });
  const end = await run(baseline({ url: mock.url, vus: 16, ms: 1000 }));
  assertRan(end);
});

test('a hundred thousand calls to an honest server: none', async (t) => {
  const mock = await startMock(t);
  let calls = 0;
  for (let tries = 0; tries < 20 && calls < 100_000; tries++) {
    const end = await run(withIntegrity(baseline({ url: mock.url, vus: 32, ms: 4000 })));
    assertRan(end);
    assert.equal(end.result.totals.integrity_mismatches, 0);
    assert.equal(end.result.totals.operations_failed, 0, JSON.stringify(end.result.errors));
    assert.equal(end.result.counts.integrity_verified, end.result.totals.operations_total);
    calls += end.result.totals.operations_total;
  }
  assert.ok(calls >= 100_000, `${calls} calls`);
});

test('all sessions use the same small ids, and each call a nonce of its own', async (t) => {
  const recorder = await startRecorder(t);
  const end = await run(
    withIntegrity(echoScenario({ url: recorder.url, vus: 4, arguments: { message: 'hello' } })),
  );
  assertRan(end);
  assert.ok(recorder.calls.length > 50);
  const ids = new Map();
  for (const { session, id } of recorder.calls) {
    ids.set(session, Math.min(id, ids.get(session) ?? Infinity));
  }
  assert.equal(ids.size, 4);
  assert.equal(new Set(ids.values()).size, 1, `each session begins with the same id: ${[...ids.values()]}`);
  const nonces = recorder.calls.map(({ arguments: { message } }) => message.match(NONCE)?.[0]);
  assert.ok(nonces.every(Boolean), recorder.calls[0].arguments.message);
  assert.equal(new Set(nonces).size, nonces.length);
  assert.ok(recorder.calls.every(({ arguments: { message } }) => message.startsWith('hello')));
});
