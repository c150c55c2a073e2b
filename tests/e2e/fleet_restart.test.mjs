// SPDX-License-Identifier: MIT
//
// A control plane that is stopped, killed, frozen, and workers that go: what was counted stays counted, the load
// goes on by the plan, and the run ends with the whole truth, or saying what is missing.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startCable } from './lib/cable.mjs';
import {
  becomesState,
  endOf,
  eventsOf,
  follow,
  playRun,
  slowly,
  startPlane,
  startWorker,
  startWorkers,
  until,
  viewOf,
} from './lib/fleet.mjs';
import { baseline, checkBooks, inAll } from './lib/mcpdrill.mjs';
import { callsBegan, settledStats, startMock } from './lib/mock.mjs';
import { pause } from './lib/process.mjs';

const pace = { think_time: { mode: 'fixed', base_ms: 20 } };
const steady = (url, ms = 5000, more = {}) => baseline({ url, vus: 6, ms, workload: pace, ...more });

const callsOf = (stats) => stats.requests['tools/call'] ?? 0;

// Everything that the mock has seen is in the result, each once.
async function assertWhole(mock, result) {
  checkBooks(result);
  const stats = await settledStats(mock);
  assert.equal(inAll(result, 'operations_total') + inAll(result, 'operations_unfinished'), callsOf(stats));
  assert.equal(result.validity.evidence.filter((text) => /missing|lost/.test(text)).length, 0);
}

// The follower saw each event that there is, once, in order.
async function assertFollowed(plane, id, followed) {
  const seen = await followed;
  assert.deepEqual(seen.map((event) => event.event_id), (await eventsOf(plane, id)).map((event) => event.event_id));
  assert.equal(new Set(seen.map((event) => event.event_id)).size, seen.length);
  return seen;
}

// They mostly wait, so some of them do it side by side.
describe('drills', { concurrency: 4 }, () => {
  for (const signal of ['SIGTERM', 'SIGKILL']) {
    test(`the control plane ends by ${signal} in mid-run and is started again: nothing is lost`, async (t) => {
      const mock = await startMock(t);
      const plane = await startPlane(t);
      await startWorkers(t, plane, 2);
      const id = await playRun(plane, steady(mock.url));
      const followed = follow(plane, id, AbortSignal.timeout(60_000));
      await callsBegan(mock, 100);
      await pause(1200);
      await plane.end(signal);
      const before = callsOf(await mock.stats());
      await pause(600);
      assert.ok(callsOf(await mock.stats()) > before + 50, 'the load goes on meanwhile');
      await plane.start();
      const { view, result } = await endOf(plane, id);
      assert.equal(view.state, 'completed');
      assert.ok(callsOf(await mock.stats()) > 1000);
      await assertWhole(mock, result);
      const events = await assertFollowed(plane, id, followed);
      assert.equal(events.filter((event) => event.type === 'SYSTEM_RECOVERY').length, 1);
      assert.equal(events.filter((event) => event.type === 'STAGE_COMPLETED').length, 1);
    });
  }

  // A plan of which every step can be met: a check, three stages, an end that takes a second.
  const steps = (url) => ({
    ...steady(url),
    stages: [
      { stage: 'preflight', duration_ms: 1500, load: { target_vus: 2 } },
      ...[1, 2, 3].map((i) => ({
        stage: 'custom',
        stage_id: `stg_0000000000000${i}00`,
        duration_ms: 1500,
        load: { target_vus: 2 * i, start_spread_ms: 0 },
      })),
    ],
  });

  const slow = (url) => ({
    ...baseline({ url, vus: 4, ms: 2000, tool: 'streaming_tool', toolArguments: { chunks: 15, delay_ms: 100 }, streaming: true }),
  });

  const draining = (plane, id) => becomesState(plane, id, ['stopping']);

  for (const [name, config, when] of [
    ['in preflight', steps, (plane, id) => becomesState(plane, id, ['preflight_running'])],
    ['between two stages', steps, async (plane, id) => {
      await until('the second stage', async () =>
        (await eventsOf(plane, id)).some((event) => event.type === 'STAGE_STARTED' && event.payload.index === 2));
    }],
    ['while it drains', slow, draining],
    ['behind the last operation', slow, async (plane, id) => {
      await draining(plane, id);
      await pause(1400);
    }],
  ]) {
    test(`killed ${name}: the run goes on from there`, async (t) => {
      const mock = await startMock(t);
      const plane = await startPlane(t);
      await startWorkers(t, plane, 2);
      const id = await playRun(plane, config(mock.url));
      const followed = follow(plane, id, AbortSignal.timeout(60_000));
      await when(plane, id);
      await plane.restart('SIGKILL');
      const { view, result } = await endOf(plane, id);
      assert.equal(view.state, 'completed', JSON.stringify(view.stop_reason));
      await assertWhole(mock, result);
      const events = await assertFollowed(plane, id, followed);
      const count = (type) => events.filter((event) => event.type === type).length;
      assert.equal(count('STAGE_COMPLETED'), result.stages.length);
      assert.equal(count('STAGE_STARTED'), result.stages.length);
    });
  }

  test('the control plane is away for all the rest of the run: the workers end it by the plan', async (t) => {
    const mock = await startMock(t);
    const plane = await startPlane(t);
    await startWorkers(t, plane, 2);
    const config = steps(mock.url);
    const id = await playRun(plane, { ...config, stages: config.stages.slice(1) });
    await callsBegan(mock, 20);
    await plane.end('SIGKILL');
    await pause(5500);
    const calls = callsOf(await settledStats(mock));
    await pause(500);
    assert.equal(callsOf(await mock.stats()), calls, 'the last stage is over');
    await plane.start();
    const { view, result } = await endOf(plane, id);
    assert.equal(view.state, 'completed', JSON.stringify(view.stop_reason));
    await assertWhole(mock, result);
    assert.deepEqual(result.stages.map((stage) => stage.achieved.duration_ms), [1500, 1500, 1500]);
  });

  test('an emergency stop does not wait for a worker that hangs', async (t) => {
    const mock = await startMock(t);
    const plane = await startPlane(t);
    const [first] = await startWorkers(t, plane, 2);
    const id = await playRun(plane, steady(mock.url, 60_000));
    await callsBegan(mock, 100);
    first.running.child.kill('SIGSTOP');
    assert.equal((await plane.ask('POST', `/runs/${id}/emergency-stop`, {})).status, 200);
    await pause(slowly(1000));
    const calls = callsOf(await mock.stats());
    await pause(500);
    assert.equal(callsOf(await mock.stats()), calls, 'the other one has stopped');
    const { view, result } = await endOf(plane, id);
    assert.deepEqual([view.state, view.stop_reason.kind, view.exit_code], ['aborted', 'emergency_stop', 7]);
    assert.equal(result.integrity.whole, false, 'what the lost one had not told is missing, and that is said');
  });

  for (const mode of ['drain', 'immediate']) {
    test(`killed as soon as a stop (${mode}) is answered: it is a stop`, async (t) => {
      const mock = await startMock(t);
      const plane = await startPlane(t);
      await startWorkers(t, plane, 2);
      const id = await playRun(plane, { ...slow(mock.url), stages: steady(mock.url, 60_000).stages });
      const followed = follow(plane, id, AbortSignal.timeout(60_000));
      await callsBegan(mock, 8);
      assert.equal((await plane.ask('POST', `/runs/${id}/stop`, { mode, actor: 'me' })).status, 200);
      await plane.restart('SIGKILL');
      const { view, result } = await endOf(plane, id);
      const { kind, actor, mode: how } = view.stop_reason;
      assert.deepEqual([view.state, kind, actor, how], ['stopped', 'stop_requested', 'me', mode]);
      if (mode === 'drain') {
        assert.equal(result.totals.operations_unfinished, 0);
        await assertWhole(mock, result);
      } else { // what was cut may have got no further than our own side
        assert.ok(result.totals.operations_unfinished > 0 && result.integrity.whole);
      }
      await assertFollowed(plane, id, followed);
    });
  }

  test('a worker that is killed ends the run within 12 s, and the load of the others', async (t) => {
    const mock = await startMock(t);
    const plane = await startPlane(t);
    const [first] = await startWorkers(t, plane, 2);
    const id = await playRun(plane, steady(mock.url, 60_000));
    await callsBegan(mock, 100);
    const began = performance.now();
    await first.end('SIGKILL');
    const { view, result } = await endOf(plane, id);
    assert.ok(performance.now() - began < 12_000 + slowly(500), `${performance.now() - began} ms`);
    assert.equal(view.state, 'failed');
    assert.equal(view.exit_code, 5);
    assert.equal(view.stop_reason.kind, 'worker_capacity_lost');
    assert.equal(view.stop_reason.reason, `worker_failure: worker ${first.id} lost`);
    const lost = (await eventsOf(plane, id)).find((event) => event.type === 'WORKER_CAPACITY_LOST');
    assert.deepEqual([lost.payload.worker_ids, lost.payload.lost_vus], [[first.id], 3]);
    assert.ok(result.integrity.balanced);
    const calls = callsOf(await settledStats(mock));
    await pause(500);
    assert.equal(callsOf(await mock.stats()), calls, 'no load is left');
    assert.equal((await plane.ask('GET', '/workers')).body.workers.find((one) => one.worker_id === first.id).state, 'lost');
  });

  test('a worker that leaves in order ends the run, with everything counted', async (t) => {
    const mock = await startMock(t);
    const plane = await startPlane(t);
    const [first] = await startWorkers(t, plane, 2);
    const id = await playRun(plane, steady(mock.url, 60_000));
    await callsBegan(mock, 100);
    assert.equal((await first.end('SIGTERM')).code, 0);
    const { view, result } = await endOf(plane, id);
    assert.deepEqual([view.state, view.stop_reason.kind], ['failed', 'worker_capacity_lost']);
    await assertWhole(mock, result);
  });

  test('a worker that comes again under its id plays the next run', async (t) => {
    const mock = await startMock(t);
    const plane = await startPlane(t);
    const args = ['--worker-id', 'wkr_00000000000000aa'];
    const first = await startWorker(t, plane, args);
    assert.equal(first.id, args[1]);
    const lost = await playRun(plane, steady(mock.url, 60_000));
    await callsBegan(mock, 20);
    await first.end('SIGKILL');
    const again = await startWorker(t, plane, args);
    const { view } = await endOf(plane, lost);
    assert.deepEqual([view.state, view.stop_reason.kind], ['failed', 'worker_capacity_lost']);
    await settledStats(mock);
    await mock.reset();
    const { view: second, result } = await endOf(plane, await playRun(plane, steady(mock.url, 1000)));
    assert.equal(second.state, 'completed');
    assert.deepEqual(second.workers, [again.id]);
    await assertWhole(mock, result);
  });

  for (const [seconds, ms] of [[4, 7000], [13, 16_000]]) {
    test(`the control plane is frozen for ${seconds} s: its workers do not pay for it`, async (t) => {
      const mock = await startMock(t);
      const plane = await startPlane(t);
      await startWorkers(t, plane, 2);
      const id = await playRun(plane, steady(mock.url, ms));
      const followed = follow(plane, id, AbortSignal.timeout(60_000));
      await callsBegan(mock, 100);
      plane.running.child.kill('SIGSTOP');
      await pause(seconds * 1000);
      const before = callsOf(await mock.stats());
      plane.running.child.kill('SIGCONT');
      assert.ok(before > 400, `the load goes on meanwhile: ${before}`);
      const { view, result } = await endOf(plane, id);
      assert.equal(view.state, 'completed', JSON.stringify(view.stop_reason));
      await assertWhole(mock, result);
      await assertFollowed(plane, id, followed);
    });
  }

  // Nobody reads what a worker says, nor does it hear anything; the target it reaches.
  const cabled = async (t, ms) => {
    const mock = await startMock(t);
    const plane = await startPlane(t);
    const cable = await startCable(t, plane.port);
    await startWorker(t, plane);
    const far = await startWorker(t, plane, ['--control-plane', cable.url]);
    const id = await playRun(plane, steady(mock.url, ms));
    await callsBegan(mock, 100);
    cable.pull();
    return { mock, plane, cable, far, id };
  };

  test('the network between them is away for 4 s: the worker goes on, and delivers later', async (t) => {
    const { mock, plane, cable, id } = await cabled(t, 7000);
    await pause(4000);
    cable.plug();
    const { view, result } = await endOf(plane, id);
    assert.equal(view.state, 'completed', JSON.stringify(view.stop_reason));
    await assertWhole(mock, result);
  });

  test('… for longer than ten: the run has failed, and its load ends as soon as the worker hears of it', async (t) => {
    const { mock, plane, cable, far, id } = await cabled(t, 60_000);
    const { view } = await endOf(plane, id);
    assert.equal(view.stop_reason.reason, `worker_failure: worker ${far.id} lost`);
    const before = callsOf(await mock.stats());
    await pause(500);
    assert.ok(callsOf(await mock.stats()) > before, 'it goes on by its plan');
    cable.plug();
    await pause(slowly(2000));
    const calls = callsOf(await settledStats(mock));
    await pause(500);
    assert.equal(callsOf(await mock.stats()), calls, 'no load is left');
    const again = await endOf(plane, await playRun(plane, steady(mock.url, 1000)));
    assert.equal(again.view.state, 'completed');
    assert.equal(again.view.workers.length, 2, 'the worker is back');
  });

  test('a worker that was frozen for so long that it is lost ends its load when it wakes', async (t) => {
    const mock = await startMock(t);
    const plane = await startPlane(t);
    const [first] = await startWorkers(t, plane, 2);
    const id = await playRun(plane, steady(mock.url, 60_000));
    await callsBegan(mock, 100);
    first.running.child.kill('SIGSTOP');
    const { view } = await endOf(plane, id);
    assert.equal(view.stop_reason.reason, `worker_failure: worker ${first.id} lost`);
    first.running.child.kill('SIGCONT');
    await pause(slowly(2000));
    const calls = callsOf(await settledStats(mock));
    await pause(500);
    assert.equal(callsOf(await mock.stats()), calls, 'no load is left');
  });

  // By the hundred it is a drill of its own: MCPDRILL_SOAK_KILLS=100.
  const kills = Number(process.env.MCPDRILL_SOAK_KILLS ?? 0);

  if (kills > 0) {
    for (let i = 0; i < kills; i++) {
      test(`killed at a random moment, ${i}`, async (t) => {
        const mock = await startMock(t);
        const plane = await startPlane(t);
        await startWorkers(t, plane, 2);
        const id = await playRun(plane, steps(mock.url));
        const followed = follow(plane, id, AbortSignal.timeout(60_000));
        const moment = Math.random() * 7500;
        await pause(moment);
        await plane.restart('SIGKILL');
        const { view, result } = await endOf(plane, id);
        assert.equal(view.state, 'completed', `${moment}: ${JSON.stringify(view.stop_reason)}`);
        await assertWhole(mock, result);
        await assertFollowed(plane, id, followed);
      });
    }

    test(`killed ${kills} times in one run`, async (t) => {
      const mock = await startMock(t);
      const plane = await startPlane(t);
      await startWorkers(t, plane, 2);
      const id = await playRun(plane, steady(mock.url, kills * 1500));
      const followed = follow(plane, id, AbortSignal.timeout(kills * 3000 + 60_000));
      let killed = 0;
      while (!(await viewOf(plane, id)).terminal && killed < kills) {
        await pause(Math.random() * 1500);
        await plane.restart('SIGKILL');
        killed++;
      }
      console.log(`# killed ${killed} times`);
      const { view, result } = await endOf(plane, id, 60_000);
      assert.equal(view.state, 'completed', JSON.stringify(view.stop_reason));
      await assertWhole(mock, result);
      const events = await assertFollowed(plane, id, followed);
      assert.ok(events.filter((event) => event.type === 'SYSTEM_RECOVERY').length <= killed);
    });
  }
});
