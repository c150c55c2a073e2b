// SPDX-License-Identifier: MIT
//
// Several teams share the workers of one control plane: what a worker can carry is never exceeded, a run that finds
// no room stays as it was made, and each result is as if the run had been alone.
import assert from 'node:assert/strict';
import test from 'node:test';
import { createRun, endOf, eventsOf, startPlane, startWorkers, until, viewOf } from './lib/fleet.mjs';
import { historyOf } from './lib/history.mjs';
import { baseline, checkBooks, inAll } from './lib/mcpdrill.mjs';
import { settledStats, startMock } from './lib/mock.mjs';
import { pause } from './lib/process.mjs';

const WORKERS = 3;
const ROOM = 10; // users of one worker

const config = (url, vus, ms) =>
  baseline({ url, vus, ms, workload: { think_time: { mode: 'fixed', base_ms: 20 } } });

// Looks at the workers until `done`; what each had at most, by the control plane and by itself.
async function watchWorkers(plane, watch) {
  while (!watch.done) {
    for (const worker of (await plane.ask('GET', '/workers')).body.workers) {
      watch.taken = Math.max(watch.taken, worker.capacity.max_vus - worker.effective_capacity.max_vus);
      watch.active = Math.max(watch.active, worker.health?.active_vus ?? 0);
      watch.runs = Math.max(watch.runs, worker.runs.length);
    }
    await pause(50);
  }
}

// Starts a run as soon as there is room; how often there was none. A run that was refused is as it was.
async function startWithPatience(plane, id) {
  for (let refused = 0; ; refused++) {
    const answer = await plane.ask('POST', `/runs/${id}/start`);
    if (answer.status === 200) {
      return refused;
    }
    assert.deepEqual([answer.status, answer.body.error_code, answer.body.retryable], [503, 'NO_CAPACITY', true]);
    const { required_vus: needed, available_vus: free } = answer.body.details;
    assert.ok(free < needed, `${needed} users, ${free} free`);
    assert.equal((await viewOf(plane, id)).state, 'created');
    await pause(100);
  }
}

// Who had how much of each worker at any time, from the runs' events: nobody was given more than there is. A share is
// free as soon as its users are gone, which is before the run's end.
async function assertNeverTooMuch(plane, ids) {
  const changes = [];
  for (const id of ids) {
    const events = await eventsOf(plane, id);
    const last = events.find((event) => event.payload.to_state === 'stopping').ts_ms;
    for (const { ts_ms: at, payload } of events.filter((event) => event.type === 'WORKER_ASSIGNED')) {
      changes.push({ at, worker: payload.worker_id, vus: payload.vus }, { at: last, worker: payload.worker_id, vus: -payload.vus });
    }
  }
  // Of the same millisecond what is given back first.
  changes.sort((a, b) => a.at - b.at || a.vus - b.vus);
  const has = {};
  let most = 0;
  for (const { worker, vus } of changes) {
    has[worker] = (has[worker] ?? 0) + vus;
    most = Math.max(most, has[worker]);
    assert.ok(has[worker] <= ROOM, `${worker} was given ${has[worker]} users`);
  }
  assert.equal(Object.keys(has).length, WORKERS);
  return most;
}

test('five runs of two teams on three workers', async (t) => {
  const mock = await startMock(t);
  const plane = await startPlane(t);
  await startWorkers(t, plane, WORKERS, ['--max-vus', String(ROOM)]);
  const watch = { done: false, taken: 0, active: 0, runs: 0 };
  const watching = watchWorkers(plane, watch);
  const make = (vus, ms) => createRun(plane, config(mock.url, vus, ms));
  const ids = { a: [], b: [] };

  // The first team wants three runs one behind the other, and takes one of them back; the second two big ones.
  const teamA = async () => {
    let refused = 0;
    for (const [vus, ms] of [[9, 2000], [9, 30_000], [6, 1500]]) {
      ids.a.push(await make(vus, ms));
      refused += await startWithPatience(plane, ids.a.at(-1));
      await pause(150);
    }
    await pause(500);
    assert.equal((await plane.ask('POST', `/runs/${ids.a[1]}/stop`, { mode: 'drain' })).status, 200);
    return refused;
  };
  const teamB = async () => {
    let refused = 0;
    for (const [vus, ms] of [[12, 1500], [21, 1000]]) {
      ids.b.push(await make(vus, ms));
      refused += await startWithPatience(plane, ids.b.at(-1));
    }
    return refused;
  };
  const refused = await Promise.all([teamA(), teamB()]);
  const all = [...ids.a, ...ids.b];
  const ends = await Promise.all(all.map((id) => endOf(plane, id)));
  watch.done = true;
  await watching;

  assert.ok(refused[0] + refused[1] > 0, 'somebody had to wait');
  assert.deepEqual(ends.map(({ view }) => view.state), ['completed', 'stopped', 'completed', 'completed', 'completed']);
  assert.ok(watch.taken <= ROOM && watch.taken > ROOM / 2, `${watch.taken} users of a worker were taken`);
  assert.ok(watch.active <= ROOM && watch.active > 0, `${watch.active} users of a worker were active`);
  assert.ok(watch.runs > 1, 'runs shared a worker');
  assert.ok((await assertNeverTooMuch(plane, all)) > ROOM / 2);
  const sessions = Math.max(...(await historyOf(mock)).map((sample) => sample.sessions_open));
  assert.ok(sessions <= WORKERS * ROOM, `${sessions} sessions at once`);
  for (const { result } of ends) {
    checkBooks(result);
    assert.ok(result.totals.operations_total > 100);
    assert.equal(result.totals.operations_failed, 0);
  }
  const counted = ends.reduce((sum, { result }) => sum + inAll(result, 'operations_total') + inAll(result, 'operations_unfinished'), 0);
  assert.equal(counted, (await settledStats(mock)).requests['tools/call']);
  await until('all is free again', async () =>
    (await plane.ask('GET', '/workers')).body.workers.every((one) => one.effective_capacity.max_vus === ROOM && one.runs.length === 0));
});
