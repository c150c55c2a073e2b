// SPDX-License-Identifier: MIT
//
// Runs of a control plane are stopped: over the API, by a condition, by a cap. How soon the target has peace, by its
// own account; in which state the run ends, and why; what `start --wait` says of it.
import assert from 'node:assert/strict';
import test from 'node:test';
import { becomesState, endOf, eventsOf, playRun, slowly, startPlane, startWorkers, viewOf } from './lib/fleet.mjs';
import { crossing, historyOf, lastAbove } from './lib/history.mjs';
import { assertRan, baseline, checkBooks, inAll, mcpdrill, writeScenario } from './lib/mcpdrill.mjs';
import { callsBegan, settledStats, startMock } from './lib/mock.mjs';
import { pause } from './lib/process.mjs';

const SAMPLE_MS = 50;
const pace = { think_time: { mode: 'fixed', base_ms: 20 } };
const long = (url, more = {}) => baseline({ url, vus: 6, ms: 60_000, workload: pace, ...more });
// Streams of two seconds each, of which several are open at any time.
const streams = (url, more = {}) =>
  baseline({
    url,
    vus: 4,
    ms: 60_000,
    tool: 'streaming_tool',
    toolArguments: { chunks: 20, delay_ms: 100 },
    streaming: true,
    ...more,
  });

async function fleet(t, workers = 2) {
  const mock = await startMock(t);
  const plane = await startPlane(t);
  await startWorkers(t, plane, workers);
  return { mock, plane };
}

const stop = (plane, id, mode) => plane.ask('POST', `/runs/${id}/stop`, { mode, actor: 'me' });
const emergency = (plane, id) => plane.ask('POST', `/runs/${id}/emergency-stop`, { actor: 'me' });

// When the mock last had something begun or open.
async function lastSign(mock, since) {
  const history = await historyOf(mock, since);
  return Math.max(...['http_requests', 'calls_open'].map((name) => lastAbove(history, name, 0)).filter(Number.isFinite));
}

async function assertCounted(mock, result) {
  checkBooks(result);
  const stats = await settledStats(mock);
  assert.equal(
    inAll(result, 'operations_total') + inAll(result, 'operations_unfinished'),
    stats.requests['tools/call'] ?? 0,
  );
}

test('drain: over as soon as the last operation is, none is cut', async (t) => {
  const { mock, plane } = await fleet(t);
  const id = await playRun(plane, streams(mock.url));
  await callsBegan(mock, 8);
  const asked = Date.now();
  const answer = await stop(plane, id, 'drain');
  assert.deepEqual([answer.status, answer.body.state], [200, 'stopping']);
  const { view, result } = await endOf(plane, id);
  const took = Date.now() - asked;
  assert.ok(took < slowly(2000 + 1500), `streams of 2 s: ${took} ms`);
  assert.equal(view.state, 'stopped');
  assert.deepEqual(
    [view.stop_reason.kind, view.stop_reason.mode, view.stop_reason.reason, view.stop_reason.actor],
    ['stop_requested', 'drain', 'stop_requested', 'me'],
  );
  assert.equal(result.totals.operations_unfinished, 0);
  assert.equal(result.totals.operations_failed, 0);
  await assertCounted(mock, result);
  const again = await stop(plane, id, 'drain');
  assert.deepEqual([again.status, again.body.error_code], [409, 'TERMINAL_STATE']);
});

for (const [name, send, state, kind, mode] of [
  ['immediate', (plane, id) => stop(plane, id, 'immediate'), 'stopped', 'stop_requested', 'immediate'],
  ['emergency', emergency, 'aborted', 'emergency_stop', 'immediate'],
]) {
  test(`${name}: the target has peace within a second of the call`, async (t) => {
    const { mock, plane } = await fleet(t);
    const ids = [await playRun(plane, long(mock.url)), await playRun(plane, streams(mock.url))];
    await callsBegan(mock, 100);
    const asked = Date.now();
    for (const id of ids) {
      assert.equal((await send(plane, id)).status, 200);
    }
    const ends = [await endOf(plane, ids[0]), await endOf(plane, ids[1])];
    const took = Date.now() - asked;
    assert.ok(took < slowly(3000), `over after ${took} ms`);
    const peace = (await lastSign(mock, asked - 1000)) - asked;
    assert.ok(peace < slowly(1000) + SAMPLE_MS, `the last sign of load is ${peace} ms behind the call`);
    for (const { view, result } of ends) {
      assert.equal(view.state, state);
      assert.deepEqual([view.stop_reason.kind, view.stop_reason.mode], [kind, mode]);
      checkBooks(result);
    }
    const { requests } = await settledStats(mock);
    const counted = ends.reduce(
      (sum, { result }) => sum + inAll(result, 'operations_total') + inAll(result, 'operations_unfinished'),
      0,
    );
    assert.ok(counted >= requests['tools/call'] && counted <= requests['tools/call'] + 10, `${counted} ${requests['tools/call']}`);
    assert.ok(ends[1].result.totals.operations_unfinished > 0, 'open streams are cut');
  });
}

test('a second stop of the same kind changes nothing, a harder one escalates', async (t) => {
  const { mock, plane } = await fleet(t);
  const hanging = baseline({ url: mock.url, vus: 4, ms: 60_000, tool: 'timeout_tool', toolArguments: {}, timeouts: { request_timeout_ms: 60_000 } });
  const [first, second] = [await playRun(plane, hanging), await playRun(plane, hanging)];
  await callsBegan(mock, 8);
  for (let i = 0; i < 2; i++) {
    const answer = await stop(plane, first, 'drain');
    assert.deepEqual([answer.status, answer.body.state], [200, 'stopping']);
  }
  assert.equal((await stop(plane, second, '')).status, 200, 'no mode is drain');
  await pause(500);
  assert.equal((await viewOf(plane, first)).state, 'stopping');
  const requests = (await eventsOf(plane, first)).filter((event) => event.type === 'STOP_REQUESTED');
  assert.equal(requests.length, 1, 'the second wish is the first one');
  const asked = Date.now();
  assert.equal((await stop(plane, first, 'immediate')).status, 200);
  assert.equal((await emergency(plane, second)).status, 200);
  const stopped = await endOf(plane, first);
  const aborted = await endOf(plane, second);
  assert.ok(Date.now() - asked < slowly(3000));
  assert.deepEqual([stopped.view.state, stopped.view.stop_reason.kind, stopped.view.stop_reason.mode], ['stopped', 'stop_requested', 'immediate']);
  assert.deepEqual([aborted.view.state, aborted.view.stop_reason.kind], ['aborted', 'emergency_stop']);
  for (const { result } of [stopped, aborted]) {
    checkBooks(result);
    assert.equal(result.totals.operations_unfinished, 4);
  }
  const wrong = await plane.ask('POST', `/runs/${first}/stop`, { mode: 'gently' });
  assert.deepEqual([wrong.status, wrong.body.error_code], [400, 'INVALID_STOP_MODE']);
});

test('a condition: nothing is begun later than 1.5 s after its deciding second', async (t) => {
  const { mock, plane } = await fleet(t);
  const id = await playRun(
    plane,
    long(mock.url, {
      stage: {
        stop_conditions: [
          { id: 'enough', metric: 'operations_total', comparator: '>', threshold: 500, window_ms: 1000, sustain_windows: 1 },
        ],
      },
    }),
  );
  const { view, result } = await endOf(plane, id);
  assert.equal(view.state, 'stopped');
  assert.equal(view.stop_reason.kind, 'stop_condition_met');
  assert.match(view.stop_reason.reason, /^stop_condition_triggered: operations_total > 500 \(observed \d+\)$/);
  const events = await eventsOf(plane, id);
  assert.equal(events.filter((event) => event.type === 'STOP_CONDITION_TRIGGERED').length, 1);
  // The first call opens the first second; the deciding one is that of the 501st.
  const history = await historyOf(mock);
  const begun = crossing(history, 'tool_calls', 0);
  let calls = 0;
  const reached = history.find(({ tool_calls }) => (calls += tool_calls) > 500).ts_ms;
  const decided = begun + Math.ceil((reached - begun) / 1000) * 1000;
  const late = lastAbove(history, 'tool_calls', 0) - decided;
  assert.ok(late < slowly(1500) + SAMPLE_MS, `${late} ms`);
  await assertCounted(mock, result);
});

test('an emergency stop that the scenario does not want is refused, and the run goes on', async (t) => {
  const { mock, plane } = await fleet(t, 1);
  const id = await playRun(plane, long(mock.url, { safety: { emergency_stop_enabled: false } }));
  await callsBegan(mock);
  const answer = await emergency(plane, id);
  assert.deepEqual([answer.status, answer.body.error_code], [409, 'EMERGENCY_STOP_DISABLED']);
  assert.equal((await viewOf(plane, id)).state, 'baseline_running');
  assert.equal((await stop(plane, id, 'immediate')).status, 200);
  await becomesState(plane, id, ['stopped']);
});

test('start --wait ends with the code of `run`', async (t) => {
  const { mock, plane } = await fleet(t, 1);
  const wait = async (config, during = () => {}) => {
    const file = writeScenario(config);
    const endpoint = ['--endpoint', plane.url];
    const made = await mcpdrill(['create', file, ...endpoint]);
    assert.equal(made.code, 0, made.stderr);
    const id = made.stdout.trim();
    const running = mcpdrill(['start', id, '--wait', ...endpoint], { timeoutMs: 60_000 });
    await during(id);
    return { ...(await running), result: (await endOf(plane, id)).result };
  };
  const short = await wait(baseline({ url: mock.url, vus: 2, ms: 1000, workload: pace }));
  assertRan({ ...short, said: short.stdout + short.stderr });
  const condition = { metric: 'operations_total', comparator: '>', threshold: 20, window_ms: 1000, sustain_windows: 1 };
  assert.equal((await wait(long(mock.url, { stage: { stop_conditions: [condition] } }))).code, 4);
  const aborted = await wait(long(mock.url), async (id) => {
    await becomesState(plane, id, ['baseline_running']);
    await emergency(plane, id);
  });
  assert.equal(aborted.code, 7, aborted.stdout + aborted.stderr);
  const preflight = { stage: 'preflight', duration_ms: 1000, load: { target_vus: 1 } };
  const broken = baseline({ url: `${mock.url}/nowhere`, ms: 1000 });
  const failed = await wait({ ...broken, stages: [preflight, ...broken.stages] });
  assert.equal(failed.code, 5, failed.stdout + failed.stderr);
  assert.equal(failed.result.stop.kind, 'preflight_failed');
});
