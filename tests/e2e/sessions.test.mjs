// SPDX-License-Identifier: MIT
//
// Session policies as the server sees them: how many sessions, how long they live, how they are left.
import assert from 'node:assert/strict';
import test from 'node:test';
import { historyOf } from './lib/history.mjs';
import { assertRan, baseline, endOfRun, run, startRun } from './lib/mcpdrill.mjs';
import { becomes, callsBegan, settledStats, startMock } from './lib/mock.mjs';
import { echoScenario, startRecorder } from './lib/recorder.mjs';

const thinking = (ms) => ({ think_time: { mode: 'fixed', base_ms: ms } });

// Runs and returns the numbers of both sides; `made` are the sessions of the load, without the checks'.
async function play(t, scenario, mockArgs) {
  const mock = await startMock(t, ['--seed', '1', ...(mockArgs ?? [])]);
  const end = await run(scenario(mock.url));
  assertRan(end);
  const stats = await settledStats(mock);
  const made = stats.sessions_opened - (end.result.auxiliary_requests.initialize ?? 0);
  assert.equal(end.result.totals.sessions_created, made, 'both sides count the same sessions');
  return { mock, stats, made, totals: end.result.totals, counts: end.result.counts };
}

test('reuse: one session per VU, for its life', async (t) => {
  const { made, stats, totals } = await play(t, (url) => baseline({ url, vus: 5, ms: 1500, workload: thinking(20) }));
  assert.equal(made, 5);
  assert.equal(stats.sessions_deleted, stats.sessions_opened);
  const share = 1 - 5 / totals.operations_total;
  assert.ok(Math.abs(totals.session_reuse_rate - share) < 1e-3, `${totals.session_reuse_rate}, not ${share}`);
});

test('per_request: a session and a connection for each operation', async (t) => {
  const { made, stats, totals } = await play(t, (url) =>
    baseline({ url, vus: 4, ms: 1500, workload: thinking(10), session_policy: { mode: 'per_request' } }),
  );
  assert.equal(made, totals.operations_total);
  assert.ok(made > 50, `${made} sessions`);
  assert.equal(stats.sessions_deleted, stats.sessions_opened);
  assert.equal(stats.sessions_open, 0);
  assert.ok(stats.connections_opened >= made);
  assert.equal(totals.session_reuse_rate, 0);
  assert.ok(totals.setup_p50_ms > 0, 'the set-up is in the lag');
  assert.ok(totals.response_p50_ms >= totals.service_p50_ms);
});

test('churn: a session serves so many operations, and no more', async (t) => {
  const recorder = await startRecorder(t);
  const end = await run(
    echoScenario({
      url: recorder.url,
      arguments: { message: 'x' },
      vus: 3,
      ms: 1500,
      workload: thinking(10),
      session_policy: { mode: 'churn', churn_interval_ops: 5 },
    }),
  );
  assertRan(end);
  const served = new Map();
  for (const { session } of recorder.calls) {
    served.set(session, (served.get(session) ?? 0) + 1);
  }
  const counts = [...served.values()];
  assert.ok(counts.length > 3, `more than one for each VU: ${counts.length} sessions`);
  assert.ok(Math.max(...counts) === 5, `${counts}`);
  assert.ok(counts.filter((count) => count < 5).length <= 3, `only the last one of a VU serves fewer: ${counts}`);
});

test('pool: few sessions for many VUs', async (t) => {
  const { stats, made, totals } = await play(t, (url) =>
    baseline({
      url,
      vus: 12,
      ms: 1500,
      workload: thinking(10),
      session_policy: { mode: 'pool', pool_size: 3 },
    }),
  );
  assert.equal(made, 3);
  assert.ok(stats.sessions_max_open <= 4, `${stats.sessions_max_open}`);
  assert.equal(stats.sessions_deleted, stats.sessions_opened);
  assert.ok(totals.session_reuse_rate > 0.9);
});

test('pool, one operation at a time on a session: the others wait, and that is lag', async (t) => {
  const { mock, totals } = await play(t, (url) =>
    baseline({
      url,
      vus: 9,
      ms: 2000,
      tool: 'slow_echo',
      session_policy: { mode: 'pool', pool_size: 3, max_in_flight_per_session: 1 },
    }),
  );
  const most = Math.max(...(await historyOf(mock)).map((sample) => sample.calls_open));
  assert.ok(most <= 3, `${most} calls at once on 3 sessions`);
  assert.ok(totals.operations_total <= 42, `${totals.operations_total}`);
  assert.ok(totals.queue_p50_ms > 150, `they waited ${totals.queue_p50_ms} ms`);
  assert.ok(totals.service_p50_ms < 300, `${totals.service_p50_ms} ms`);
});

test('ttl_ms: sessions are replaced when they are old', async (t) => {
  const { made, totals } = await play(t, (url) =>
    baseline({ url, vus: 2, ms: 1900, workload: thinking(20), session_policy: { ttl_ms: 300 } }),
  );
  assert.ok(made >= 8 && made <= 14, `${made} sessions of 300 ms in 2 × 1.9 s`);
  assert.equal(totals.operations_failed, 0);
  assert.ok(totals.sessions_expired >= 6, `${totals.sessions_expired} expired`);
});

test('max_idle_ms: a session that rested for too long is replaced', async (t) => {
  const idle = await play(t, (url) =>
    baseline({ url, vus: 2, ms: 2500, workload: thinking(400), session_policy: { max_idle_ms: 200 } }),
  );
  assert.ok(
    idle.made >= idle.totals.operations_total && idle.made <= idle.totals.operations_total + 2,
    `${idle.made} sessions, ${idle.totals.operations_total} operations`,
  );
  // No pause is as long as that, also when a thread waits for its core.
  const busy = await play(t, (url) =>
    baseline({ url, vus: 2, ms: 2500, workload: thinking(50), session_policy: { max_idle_ms: 1500 } }),
  );
  assert.equal(busy.made, 2);
});

const leaving = {
  delete: ({ stats }) => assert.equal(stats.sessions_deleted, stats.sessions_opened),
  fin: ({ stats, made }) => assert.equal(stats.sessions_open, made),
  rst: ({ stats, made }) => assert.equal(stats.sessions_open, made),
  vanish: ({ stats, made }) => assert.equal(stats.sessions_open, made),
};

for (const [abandon, check] of Object.entries(leaving)) {
  test(`abandon "${abandon}"`, async (t) => {
    const seen = await play(t, (url) =>
      baseline({
        url,
        vus: 3,
        ms: 1500,
        workload: thinking(20),
        session_policy: { mode: 'churn', churn_interval_ops: 5, abandon },
      }),
    );
    assert.ok(seen.made > 10, `${seen.made} sessions`);
    check(seen);
    const most = Math.max(...(await historyOf(seen.mock)).map((sample) => sample.connections_open));
    if (abandon === 'vanish') {
      assert.ok(most >= seen.made - 4, `nothing is closed until the end: ${most} of ${seen.made}`);
    } else {
      assert.ok(most <= 12, `${most} connections at once`);
    }
    // One is that of the question itself.
    await becomes(seen.mock, 'connections that are gone', ({ connections_open: open }) => open <= 2);
  });
}

test('sessions that the server forgets are replaced, and no operation fails', async (t) => {
  const mock = await startMock(t);
  const running = startRun(baseline({ url: mock.url, vus: 8, ms: 4000, workload: thinking(20) }));
  await becomes(mock, 'a session per VU', ({ sessions_open: open }) => open === 8);
  await callsBegan(mock, 50);
  const answer = await fetch(`${mock.url}/sessions/forget`, { method: 'POST' });
  const { forgotten } = await answer.json();
  assert.equal(forgotten, 8);
  const end = await endOfRun(running);
  assertRan(end);
  const { totals, counts } = end.result;
  assert.equal(totals.sessions_lost, 8);
  assert.equal(counts.session_retries, 8);
  assert.equal(totals.sessions_created, 16);
  assert.equal(totals.operations_failed, 0);
});

test('sessions that are lost all the time: at most one repetition per operation', async (t) => {
  const mock = await startMock(t, ['--seed', '5']);
  const running = startRun(baseline({ url: mock.url, vus: 4, ms: 3000, workload: thinking(10) }));
  await callsBegan(mock, 20);
  await mock.faults({ lose_sessions: 0.2 });
  const end = await endOfRun(running);
  const stats = await mock.stats();
  const { totals, counts } = end.result;
  assert.ok(stats.sessions_lost > 10, `${stats.sessions_lost}`);
  assert.ok(totals.operations_failed > 0 && totals.operations_failed < totals.operations_total / 4);
  assert.equal(stats.tools.fast_echo + stats.sessions_lost, counts.requests_sent, 'request by request');
  assert.deepEqual([...new Set(end.result.errors.map(({ code }) => code))], ['SESSION_LOST']);
});

test('user_journey: each VU lists the tools first, and those are no operations', async (t) => {
  const recorder = await startRecorder(t);
  const end = await run(
    echoScenario({
      url: recorder.url,
      arguments: { message: 'x' },
      vus: 3,
      ms: 2200,
      workload: {
        user_journey: { startup_sequence: { run_tools_list_on_start: true }, periodic_ops: { tools_list_interval_ms: 1000 } },
      },
    }),
  );
  assertRan(end);
  const { totals, counts, auxiliary_requests: checks } = end.result;
  assert.equal(totals.operations_total, recorder.calls.length);
  assert.equal(counts.journey_started, recorder.lists.length - checks['tools/list']);
  assert.ok(counts.journey_started >= 6 && counts.journey_started <= 12, `${counts.journey_started} lists`);
  for (const session of new Set(recorder.calls.map((call) => call.session))) {
    const list = recorder.lists.find((one) => one.session === session);
    const call = recorder.calls.find((one) => one.session === session);
    assert.ok(list.at <= call.at, 'the list comes before the first call');
  }
});
