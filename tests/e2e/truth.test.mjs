// SPDX-License-Identifier: MIT
//
// Do the numbers of the result agree with what the server saw? Both sides count, and the counts must
// be equal to the last one.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { historyOf } from './lib/history.mjs';
import { assertRan, baseline, endOfRun, errorCounts, operation, run, startRun } from './lib/mcpdrill.mjs';
import { settledStats, startMock } from './lib/mock.mjs';
import { tempDir } from './lib/process.mjs';
import { watchMachine } from './lib/quiet.mjs';

const METHODS = {
  tools_list: 'tools/list',
  tools_call: 'tools/call',
  resources_list: 'resources/list',
  resources_read: 'resources/read',
  prompts_list: 'prompts/list',
  prompts_get: 'prompts/get',
  ping: 'ping',
};
const everything = [
  { operation: 'tools_call', tool_name: 'fast_echo', arguments: { message: 'x' }, weight: 4 },
  { operation: 'resources_list' },
  { operation: 'resources_read', uri: 'file:///docs/readme.md' },
  { operation: 'prompts_list' },
  { operation: 'prompts_get', prompt_name: 'summarize', arguments: { text: 'x' } },
  { operation: 'ping' },
];

function callsByMethod(result) {
  const sums = {};
  for (const row of result.operations) {
    const method = METHODS[row.operation.replace('/', '_')];
    sums[method] = (sums[method] ?? 0) + (row.totals.operations_total ?? 0);
  }
  return sums;
}

for (const vus of [1, 8, 200]) {
  test(`operations in the result are requests at the server, method by method, at ${vus} VUs`, async (t) => {
    const mock = await startMock(t);
    const end = await run(baseline({ url: mock.url, vus, ms: 1500, mix: everything }));
    assertRan(end);
    const stats = await settledStats(mock);
    assert.equal(end.result.totals.operations_failed, 0);
    assert.equal(end.result.totals.operations_unfinished, 0);
    const sums = callsByMethod(end.result);
    // The checks before the load make requests too; the result says how many.
    const checks = end.result.auxiliary_requests;
    for (const [method, count] of Object.entries(sums)) {
      assert.ok(count > 0, `${method} was called`);
      assert.equal(stats.requests[method], count + (checks[method] ?? 0), method);
    }
    assert.equal(stats.requests.initialize, end.result.totals.sessions_created + checks.initialize);
    assert.equal(Object.keys(sums).length, everything.length);
    assert.equal(stats.sessions_deleted, stats.sessions_opened, 'each session was closed');
    assert.ok(
      stats.sessions_opened >= vus && stats.sessions_opened <= vus + 2,
      `${stats.sessions_opened} sessions for ${vus} VUs`,
    );
  });
}

// A preflight at full speed beside a slow load: a hundred times its operations, and in none of its figures.
test('totals, preflight and checks are what the server counted; only the load is judged', async (t) => {
  const mock = await startMock(t);
  const out = join(tempDir(), 'out');
  const end = await run(
    {
      target: { url: mock.url },
      workload: {
        operation_mix: [{ operation: 'tools_call' }, { operation: 'ping' }],
        tools: {
          templates: [
            { template_id: 'good', tool_name: 'fast_echo', arguments: { message: 'x' } },
            { template_id: 'bad', tool_name: 'error_tool', arguments: {} },
          ],
        },
        user_journey: { startup_sequence: { run_tools_list_on_start: true } },
      },
      success_criteria: [
        { id: 'errors', metric: 'error_rate', comparator: '<', threshold: 0.5 },
        { id: 'rate', metric: 'ops_per_second', comparator: '<=', threshold: 20 },
      ],
      stages: [
        { stage: 'preflight', duration_ms: 2000, load: { target_vus: 4 } },
        { stage: 'baseline', duration_ms: 2500, load: { target_vus: 4, target_rps: 20 } },
      ],
    },
    { args: ['--out', out] },
  );
  assertRan(end);
  const { totals, preflight, counts, auxiliary_requests: checks } = end.result;
  const stats = await settledStats(mock);
  assert.equal(counts.due, 50);
  assert.equal(totals.operations_total, 50);
  assert.equal(totals.ops_per_second, 20);
  assert.ok(preflight.totals.operations_total > 100 * 50, `${preflight.totals.operations_total}`);
  assert.equal(preflight.totals.ops_per_second, end.result.stages[0].totals.ops_per_second);
  assert.ok(preflight.counts.tool_errors > 1000 && counts.tool_errors < 50);
  for (const { id, state } of end.result.criteria) {
    assert.equal(state, 'met', id);
  }
  const both = (name) => counts[name] + preflight.counts[name];
  assert.equal(stats.requests['tools/call'] + stats.requests.ping, both('requests_sent') + (checks.ping ?? 0));
  assert.equal(stats.requests['tools/list'], both('journey_requests') + (checks['tools/list'] ?? 0));
  assert.equal(stats.requests.initialize, both('sessions_created') + checks.initialize);
  assert.match(end.stdout, /^preflight +[\d,]+ operations ended . [\d,]+ failed .* in no other figure$/m);
  assert.match(end.stdout, /^rate +20\/s · 50 due/m);
  // The tool whose calls all failed has no latency, and a row all the same.
  assert.match(end.stdout, /^ +tools\/call error_tool +R +\d+ +[\d.]+\/s +\d+ \(100 %\) +n\/a/m);
  const seconds = readFileSync(join(out, 'windows.ndjson'), 'utf8').trim().split('\n').map(JSON.parse);
  const sum = (name) => seconds.reduce((all, one) => all + one[name], 0);
  assert.equal(sum('ops'), totals.operations_total);
  assert.equal(sum('preflight_ops'), preflight.totals.operations_total);
  assert.equal(sum('preflight_failed'), preflight.totals.operations_failed);
});

// Beside a load that fails, a good preflight is no consolation.
test('the failures of a load are not thinned by its preflight', async (t) => {
  const mock = await startMock(t);
  const faulty = startRun(
    {
      target: { url: mock.url },
      workload: { tools: { templates: [{ tool_name: 'fast_echo', arguments: { message: 'x' } }] } },
      success_criteria: [{ metric: 'error_rate', comparator: '<', threshold: 0.01 }],
      stages: [
        { stage: 'preflight', duration_ms: 2000, load: { target_vus: 2 } },
        { stage: 'baseline', duration_ms: 3000, load: { target_vus: 2, target_rps: 20 } },
      ],
    },
    { args: ['--expect', 'error_rate < 2%'] },
  );
  await new Promise((done) => setTimeout(done, 3600));
  await mock.faults({ is_error: 1 });
  const end = await endOfRun(faulty);
  assertRan(end, 4);
  assert.equal(end.result.preflight.totals.operations_failed, 0);
  assert.ok(end.result.totals.error_rate > 0.05, `${end.result.totals.error_rate}`);
  for (const criterion of end.result.criteria) {
    assert.equal(criterion.state, 'failed');
  }
});

test('events received are events sent', async (t) => {
  const mock = await startMock(t);
  const end = await run(
    baseline({
      url: mock.url,
      vus: 20,
      ms: 2000,
      tool: 'streaming_tool',
      toolArguments: { chunks: 25, delay_ms: 2 },
      streaming: true,
    }),
  );
  assertRan(end);
  const stats = await settledStats(mock);
  const totals = end.result.totals;
  assert.ok(totals.operations_total > 20);
  // 25 notifications and the response, each an event.
  assert.equal(totals.events_received_total, totals.operations_total * 26);
  assert.equal(totals.events_received_total, stats.events_sent);
  assert.equal(totals.stream_completion_rate, 1);
  assert.equal(totals.stream_stall_count, 0);
});

// What the pages say of gaps and counts, at streams whose events are known.
for (const [chunks, delay] of [
  [50, 10],
  [1, 10],
]) {
  test(`a stream of ${chunks} messages is ${chunks + 1} events and as many gaps`, async (t) => {
    const mock = await startMock(t);
    const out = join(tempDir(), 'out');
    const end = await run(
      baseline({
        url: mock.url,
        vus: 2,
        ms: 1500,
        tool: 'streaming_tool',
        toolArguments: { chunks, delay_ms: delay },
        streaming: true,
        telemetry: { structured_logs: { enabled: true, sample_rate: 1 } },
      }),
      { args: ['--out', out] },
    );
    assertRan(end);
    const { totals, distributions } = end.result;
    const streams = totals.operations_total;
    assert.ok(streams >= 2);
    assert.equal(totals.events_received_total, streams * (chunks + 1));
    assert.equal(distributions.event_gap.n, totals.events_received_total);
    assert.equal(distributions.first_event.n, streams);
    // The log counts the messages; the response is a member of its own there.
    const ops = readFileSync(join(out, 'ops.ndjson'), 'utf8').trim().split('\n').map(JSON.parse);
    assert.ok(ops.length > 0 && ops.every((op) => op.stream.events_count === chunks));
    if (chunks > 1) {
      // All gaps of a stream together are its time from the head on.
      assert.ok(distributions.event_gap.mean_ms > (delay * (chunks - 1)) / (chunks + 1) - 0.5);
      assert.ok(distributions.event_gap.mean_ms <= totals.service_mean_ms / (chunks + 1) + 0.5);
    }
  });
}

// An answer that is a stream of one event, as Python servers send them.
test('a stream of one event has one gap, from its head', async (t) => {
  const mock = await startMock(t, ['--sse']);
  const end = await run(baseline({ url: mock.url, vus: 2, ms: 1000 }));
  assertRan(end);
  const { totals, distributions } = end.result;
  assert.ok(totals.operations_total > 10);
  assert.equal(totals.events_received_total, totals.operations_total);
  assert.equal(distributions.event_gap.n, totals.operations_total);
  assert.ok(distributions.event_gap.p50_ms <= distributions.first_event.p50_ms);
});

test('weights 1:5 give 1:5', async (t) => {
  const mock = await startMock(t);
  const end = await run(
    baseline({
      url: mock.url,
      vus: 4,
      ms: 2000,
      mix: [
        { operation: 'ping', weight: 1 },
        { operation: 'tools_call', tool_name: 'fast_echo', arguments: { message: 'x' }, weight: 5 },
      ],
    }),
  );
  assertRan(end);
  const pings = operation(end.result, 'ping').operations_total;
  const total = end.result.totals.operations_total;
  const sigma = Math.sqrt(total * (1 / 6) * (5 / 6));
  // So many that 1:3 would be out of bounds.
  assert.ok(total > 500, `${total} operations`);
  assert.ok(
    Math.abs(pings - total / 6) <= 3.5 * sigma,
    `${pings} of ${total}, expected ${total / 6} ± ${3.5 * sigma}`,
  );
});

test('weights of templates count too', async (t) => {
  const mock = await startMock(t);
  const end = await run({
    target: { url: mock.url },
    workload: {
      tools: {
        templates: [
          { template_id: 'rare', tool_name: 'fast_echo', weight: 1, arguments: { message: 'a' } },
          { template_id: 'often', tool_name: 'fast_echo', weight: 3, arguments: { message: 'b' } },
        ],
      },
    },
    stages: [{ stage: 'baseline', duration_ms: 1500, load: { target_vus: 4 } }],
  });
  assertRan(end);
  const rare = operation(end.result, 'tools_call', 'rare').operations_total;
  const total = end.result.totals.operations_total;
  assert.ok(Math.abs(rare - total / 4) <= 3.5 * Math.sqrt(total * 0.25 * 0.75), `${rare} of ${total}`);
});

test('think time of 100 ms with one VU gives at most 10 operations a second', async (t) => {
  const mock = await startMock(t);
  const machine = watchMachine();
  const end = await run(
    baseline({ url: mock.url, ms: 3000, workload: { think_time: { mode: 'fixed', base_ms: 100 } } }),
  );
  assertRan(end);
  const total = end.result.totals.operations_total;
  assert.ok(total <= 31, `${total} operations in 3 s`);
  if (machine.skips(t)) {
    return;
  }
  assert.ok(total >= 27, `${total} operations in 3 s`);
});

test('in_flight_per_vu operations of one VU run at the same time', async (t) => {
  const mock = await startMock(t);
  const machine = watchMachine();
  const end = await run(
    baseline({ url: mock.url, ms: 2000, tool: 'slow_echo', workload: { in_flight_per_vu: 5 } }),
  );
  assertRan(end);
  // Each takes 200 ms: one slot would make 10 of them, five make 50.
  const total = end.result.totals.operations_total;
  assert.ok(total > 10 && total <= 55, `${total} operations`);
  const most = Math.max(...(await historyOf(mock)).map((sample) => sample.calls_open));
  assert.equal(most, 5, 'calls that the server had open at once');
  const stats = await settledStats(mock);
  assert.ok(stats.sessions_opened <= 3, 'the slots share the session');
  if (machine.skips(t)) {
    return;
  }
  assert.ok(total > 40, `${total} operations`);
});

test('a tool that always fails has the error rate 1', async (t) => {
  const mock = await startMock(t);
  const end = await run(baseline({ url: mock.url, vus: 4, ms: 1000, tool: 'error_tool', toolArguments: {} }));
  const { totals } = end.result;
  assert.ok(totals.operations_total > 0);
  assert.equal(totals.operations_failed, totals.operations_total);
  assert.equal(totals.error_rate, 1);
  assert.equal(totals.tool_error_rate, 1);
  assert.deepEqual(errorCounts(end.result), { 'tool_error/TOOL_ERROR/tool': totals.operations_total });
});

test('latencies below a millisecond are shown as such', async (t) => {
  const mock = await startMock(t);
  const machine = watchMachine();
  const end = await run(baseline({ url: mock.url, ms: 1500 }));
  assertRan(end);
  const { latency_p50_ms: p50, latency_p99_ms: p99 } = end.result.totals;
  const { min_ms: min } = end.result.distributions.service;
  assert.ok(min > 0 && !Number.isInteger(min), `the shortest took ${min} ms`);
  assert.ok(p50 >= min && p99 >= p50);
  if (machine.skips(t)) {
    return;
  }
  assert.ok(p50 < 1, `p50 is ${p50} ms`);
  assert.match(end.stdout, /\b0\.\d+ ?ms|\d+(\.\d+)? ?µs|\d+(\.\d+)? ?us/, 'the summary shows a fraction');
});

test('injected errors are counted by class and by both sides', async (t) => {
  const mock = await startMock(t, ['--seed', '7']);
  await mock.faults({ http_500: 0.2 });
  const end = await run(baseline({ url: mock.url, vus: 4, ms: 1000 }));
  const counts = errorCounts(end.result);
  const failed = end.result.totals.operations_failed;
  assert.ok(failed > 0, end.said);
  assert.deepEqual(
    Object.keys(counts).map((key) => key.split('/').slice(0, 2).join('/')),
    ['http_error/HTTP_5XX'],
  );
  assert.ok(Math.abs(end.result.totals.error_rate - 0.2) < 0.1, `error rate ${end.result.totals.error_rate}`);
});

test('the same seed gives the same sequence of operations', async (t) => {
  const mock = await startMock(t);
  const shares = [];
  for (let i = 0; i < 2; i++) {
    const end = await run(
      baseline({
        url: mock.url,
        ms: 3000,
        workload: { seed: 42, think_time: { mode: 'fixed', base_ms: 50 } },
        mix: [{ operation: 'ping' }, { operation: 'prompts_list' }],
      }),
    );
    assert.equal(end.result.seed, 42);
    shares.push({
      pings: operation(end.result, 'ping').operations_total,
      total: end.result.totals.operations_total,
    });
  }
  // The runs may differ by an operation or two in length, and so by as many pings.
  const [a, b] = shares;
  assert.ok(Math.abs(a.pings - b.pings) <= Math.abs(a.total - b.total), JSON.stringify(shares));
});
