// SPDX-License-Identifier: MIT
//
// The scenario "SSE with churn" in seconds: a session for each operation, and none left behind.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { assertRan, inAll, run } from './lib/mcpdrill.mjs';
import { settledStats, startMock } from './lib/mock.mjs';
import { rootDir } from './lib/process.mjs';

const scenario = join(rootDir, 'examples/scenarios/sse-with-churn.json');

test('as many sessions as operations, each deleted, none reused', async (t) => {
  const mock = await startMock(t);
  const end = await run(scenario, {
    args: [
      `target.url=${mock.url}`,
      'stages[0].duration_ms=1000',
      'stages[1].duration_ms=2000',
      'stages[2].duration_ms=3000',
      'workload.think_time.base_ms=50',
      'workload.think_time.jitter_ms=20',
      'workload.tools.templates[0].arguments.event_count=5',
      'workload.tools.templates[0].arguments.interval_ms=20',
    ].flatMap((one) => ['--set', one]),
  });
  assertRan(end);
  const { totals, auxiliary_requests: checks } = end.result;
  const stats = await settledStats(mock);
  const ended = totals.operations_total;
  assert.ok(ended > 300, `${ended} operations`);
  assert.equal(totals.operations_failed, 0);
  assert.equal(totals.stream_completion_rate, 1);
  assert.equal(totals.session_reuse_rate, 0);
  assert.ok(
    totals.sessions_created >= ended && totals.sessions_created <= ended + 50,
    `${totals.sessions_created} sessions for ${ended} operations`,
  );
  assert.equal(stats.sessions_opened, inAll(end.result, 'sessions_created') + checks.initialize);
  assert.equal(stats.sessions_deleted, stats.sessions_opened, 'a DELETE for each');
  assert.equal(stats.sessions_open, 0);
  assert.ok(stats.sessions_max_open <= 51, `${stats.sessions_max_open} sessions at once`);
  // On loopback; a wait of ours in the set-up (those that there are take 250 ms) would be seen.
  assert.ok(totals.connection_setup_p50_ms < 100, `${totals.connection_setup_p50_ms} ms`);
  assert.ok(totals.session_creation_p95_ms > 0);
  assert.equal(totals.connection_error_rate, 0);
  assert.equal(inAll(end.result, 'events_received_total'), stats.events_sent);
});
