// SPDX-License-Identifier: MIT
//
// A control plane that can be stopped, killed and started again at its port, its workers, and its runs.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { ask, ready } from './server.mjs';
import { binDir, finished, killed, pause, sanitized, start, tempDir } from './process.mjs';

const WORKER_READY = /^Worker registered: (wkr_[0-9a-f]+)$/m;

// Returns when `holds()` is true, or a promise of true; fails with `what` after `ms`.
export async function until(what, holds, ms = 20_000) {
  const end = performance.now() + ms;
  while (!(await holds())) {
    assert.ok(performance.now() < end, `in vain within ${ms} ms: ${typeof what === 'function' ? what() : what}`);
    await pause(20);
  }
}

function end(running, signal, what) {
  if (signal === 'SIGKILL') {
    return killed(running, what);
  }
  running.child.kill('SIGCONT');
  running.child.kill(signal);
  return finished(running, what);
}

// {url, port, pid, running, ask, end(signal), restart()}. Ended at the end of test `t`, where it has to end in order.
export async function startPlane(t) {
  const folder = join(tempDir(), 'data');
  const plane = { port: 0 };
  plane.start = async () => {
    plane.running = start(join(binDir, 'server'), ['--addr', `:${plane.port}`, '--data-dir', folder], {
      timeoutMs: 900_000,
    });
    plane.port = await ready(plane.running);
    plane.pid = plane.running.pid;
    plane.url = `http://127.0.0.1:${plane.port}`;
  };
  plane.end = async (signal) => {
    const { running } = plane;
    plane.running = null;
    return end(running, signal, 'server');
  };
  plane.restart = async (signal) => {
    await plane.end(signal);
    await plane.start();
  };
  plane.ask = (method, path, body) => ask(plane.url, method, path, body);
  await plane.start();
  t.after(async () => {
    if (plane.running) {
      assert.equal((await plane.end('SIGTERM')).code, 0, 'the server ends in order');
    }
  });
  return plane;
}

// {id, pid, running, end(signal)}. Ended at the end of test `t`.
export async function startWorker(t, plane, args = []) {
  const running = start(join(binDir, 'worker'), ['--control-plane', plane.url, '--threads', '1', ...args], {
    timeoutMs: 900_000,
  });
  const worker = { running, pid: running.pid };
  worker.end = (signal) => end(running, signal, 'worker');
  t.after(async () => {
    // Without its control plane it may have something left that nobody takes.
    const patience = setTimeout(() => running.child.kill('SIGKILL'), slowly(3000));
    running.child.kill('SIGCONT');
    running.child.kill('SIGTERM');
    await running.ended;
    clearTimeout(patience);
    await killed(running, 'worker');
  });
  await until(() => `a worker\n${running.stderr}`, () => WORKER_READY.test(running.stdout));
  worker.id = running.stdout.match(WORKER_READY)[1];
  const isThere = (body) => body.workers.some((one) => one.worker_id === worker.id && one.state === 'online');
  await until('its line', async () => isThere((await plane.ask('GET', '/workers')).body));
  return worker;
}

export const startWorkers = (t, plane, count, args) =>
  Promise.all(Array.from({ length: count }, () => startWorker(t, plane, args)));

export async function createRun(plane, config) {
  const made = await plane.ask('POST', '/runs', { config });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  return made.body.run_id;
}

// Made and started; a worker's stream of orders may come a moment behind its registration.
export async function playRun(plane, config) {
  const id = await createRun(plane, config);
  let answer;
  await until(
    () => JSON.stringify(answer.body),
    async () => {
      answer = await plane.ask('POST', `/runs/${id}/start`);
      return answer.status !== 503;
    },
    5000,
  );
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return id;
}

export const viewOf = async (plane, id) => (await plane.ask('GET', `/runs/${id}`)).body;

export async function becomesState(plane, id, states, ms = 20_000) {
  let view;
  await until(
    () => `${states}: ${JSON.stringify(view)}\n${plane.running.stdout}\n${plane.running.stderr}`,
    async () => {
      view = await viewOf(plane, id);
      assert.ok(!view.terminal || states.includes(view.state), JSON.stringify(view));
      return states.includes(view.state);
    },
    ms,
  );
  return view;
}

const TERMINAL = ['completed', 'stopped', 'failed', 'aborted'];

// {view, result} of a run that is over.
export async function endOf(plane, id, ms = 40_000) {
  const view = await becomesState(plane, id, TERMINAL, ms);
  const { status, body } = await plane.ask('GET', `/runs/${id}/result`);
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(body.state, view.state);
  return { view, result: body };
}

function* framesOf(text) {
  for (const part of text.split('\n\n')) {
    const lines = part.split('\n').filter((line) => line !== '' && !line.startsWith(':'));
    if (lines.length > 0) {
      yield Object.fromEntries(lines.map((line) => line.split(/: (.*)/s).slice(0, 2)));
    }
  }
}

// Reads a run's events to their end, whatever happens to the control plane meanwhile: a lost stream goes on behind
// the last event that was seen. Resolves to the events, in the order in which they came.
export async function follow(plane, id, signal) {
  const events = [];
  for (let ended = false; !ended; ) {
    try {
      const headers = events.length > 0 ? { 'last-event-id': events.at(-1).event_id } : {};
      const answer = await fetch(`${plane.url}/runs/${id}/events`, { headers, signal });
      assert.ok([200, 204].includes(answer.status), `events: ${answer.status}`);
      ended = answer.status === 204;
      let text = '';
      for await (const piece of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
        text += piece;
        const whole = text.lastIndexOf('\n\n') + 2;
        for (const frame of framesOf(text.slice(0, Math.max(whole, 0)))) {
          ended ||= frame.event === 'end';
          if (frame.event === 'run_event') {
            events.push(JSON.parse(frame.data));
          }
        }
        text = whole > 1 ? text.slice(whole) : text;
      }
    } catch (error) {
      if (error.name === 'AssertionError' || signal?.aborted) {
        throw error;
      }
    }
    await pause(ended ? 0 : 50);
  }
  return events;
}

// All events that the store has.
export async function eventsOf(plane, id) {
  const answer = await fetch(`${plane.url}/runs/${id}/events?follow=false`);
  assert.equal(answer.status, 200);
  const frames = [...framesOf(await answer.text())].filter((frame) => frame.event === 'run_event');
  return frames.map((frame) => JSON.parse(frame.data));
}

// What sanitizers slow down takes longer.
export const slowly = (ms) => (sanitized ? 4 * ms : ms);
