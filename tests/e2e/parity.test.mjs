// SPDX-License-Identifier: MIT
//
// One scenario, played by one process, by three, and by one, two and five workers of a control plane: the same
// load, the same figures, and a document that differs only where it names workers or tells what was measured.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { assertRan, endedInAll, inAll, wasHindered, writeScenario } from './lib/mcpdrill.mjs';
import { settledStats, startMock } from './lib/mock.mjs';
import { rootDir } from './lib/process.mjs';
import { startRecorder } from './lib/recorder.mjs';
import { shortened, template } from './lib/template.mjs';
import { startWays } from './lib/ways.mjs';

/* ---- documents -------------------------------------------------------------------------------- */

// Members that may differ, by their path without indices: who played, when, and what was measured.
const OF_WORKERS = [
  /^(run_id|execution_id|command_line|created_by)/,
  /^workers\b/,
  /^(config|source)_hash$/, // these have the mock's URL in them
  /^auxiliary_requests\./, // each worker shakes hands; what they come to is compared with the mock
  /^integrity\.(sources|finished|windows|line)$/,
  /^checks\[\]\.latency_ms$/,
  /^environment\./,
  /\.(source|worker_id)$/,
  /^validity\.(evidence|signals)\b/, // a busy machine; the state is compared
];
const OF_TIME = [/^(started_at|ended_at|duration_ms)$/, /^stages\[\]\.(began_ms|took_ms|ended_ms|elapsed_ms)$/];
const OF_SPEED = [
  /^distributions\b/,
  /(^|\.)(latency|response|service|lag|queue|setup|time_to_first_event|event_gap|connection_setup|session_creation|connect|session|initialize|journey|first_event|tool_lag|failed_service)(_\w+_ms|\.\w+|\b.*_ms)$/,
  /\.distributions\b/,
  /\.(late|carried)_\w+$/, // what ended behind the end of its stage
  /\.bytes_\w+$/,
  /\.(in_flight|active_streams|active_vus|active_sessions|open_connections)$/, // as most at the end of a second
  /^slowest\b/,
  /\.achieved\.(max_vus|ops)$/,
  /operations\[\]\.\w+\.session_reuse\w*$/, // whose turn was the first on a session
  /\.ops_per_second$/, // without those that ended late
  /^stop\.(latency_ms|observed|reason|sentence)\b/,
  /^conditions\[\]\.(last|worst|margin|observed)\b/,
  /^criteria\[\]\.(value|sentence)$/,
];
// A closed loop does as much as the target lets it.
const OF_CLOSED_LOOP = [
  /(^|\.)counts\./,
  /(^|\.)totals\./,
  /^(preflight|journey)\./,
  /^stages\[\]\.achieved\./,
  /^integrity\.(started|succeeded|failed|unfinished|verified)$/,
  /^criteria\[\]\.(samples|lower_bound)$/,
  /^custom\./,
  /^errors\[\]\.(count|share|first_second|last_second)/,
];

const OF_A_BUSY_MACHINE = [/^(verdict|exit_code)$/, /^validity\./, /^warnings\b/];

// Every leaf by its path; arrays have their length as one.
function* leaves(value, path = '') {
  if (value === null || typeof value !== 'object') {
    yield [path, value];
    return;
  }
  const inner = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  yield [`${path}.length`, inner.length];
  for (const [name, one] of inner) {
    yield* leaves(one, Array.isArray(value) ? `${path}[${name}]` : `${path ? `${path}.` : ''}${name}`);
  }
}

function differences(one, other, allowed) {
  const [a, b] = [new Map(leaves(one)), new Map(leaves(other))];
  return [...new Set([...a.keys(), ...b.keys()])]
    .filter((path) => a.get(path) !== b.get(path))
    .filter((path) => !allowed.some((rule) => rule.test(path.replace(/\[\d+\]/g, '[]'))))
    .map((path) => `${path}: ${a.get(path)} and ${b.get(path)}`);
}

function assertAlike(ends, closed) {
  const hindered = ends.some(wasHindered) ? OF_A_BUSY_MACHINE : [];
  const allowed = [...OF_WORKERS, ...OF_TIME, ...OF_SPEED, ...(closed ? OF_CLOSED_LOOP : []), ...hindered];
  const [first, ...others] = ends;
  for (const other of others) {
    assert.deepEqual(differences(first.result, other.result, allowed), [], `${first.way.name} and ${other.way.name}`);
  }
}

/* ---- one run ---------------------------------------------------------------------------------- */

const inCounts = ({ counts, preflight }, name) => counts[name] + (preflight?.counts[name] ?? 0);

// What all have counted is what the mock has counted, to the last request.
function checkCounts({ way, result }, stats) {
  const { auxiliary_requests: checks, integrity, totals, workers } = result;
  assert.ok(integrity.whole, integrity.line);
  assert.equal(workers.length, way.workers);
  for (const name of ['started', 'succeeded', 'failed', 'unfinished']) {
    const total = { started: 'operations_started', failed: 'operations_failed', unfinished: 'operations_unfinished' }[name];
    const sum = workers.reduce((all, worker) => all + worker.load[name], 0);
    const whole = total ? totals[total] : totals.operations_total - totals.operations_failed;
    assert.equal(sum, whole, `${name}: the workers add up to the total`);
  }
  assert.equal(stats.requests['tools/call'], endedInAll(result, 'tools/call') + integrity.unfinished);
  const lists = endedInAll(result, 'tools/list') + inCounts(result, 'journey_requests');
  assert.equal(stats.requests['tools/list'], lists + (checks['tools/list'] ?? 0));
  assert.equal(stats.requests.initialize, inAll(result, 'sessions_created') + checks.initialize);
}

// Plays the scenario in every way at once, each against a mock of its own.
async function playAll(t, ways, scenario) {
  return Promise.all(
    ways.map(async (way) => {
      const mock = await startMock(t);
      const url = `${mock.url}${new URL(scenario.target.url).pathname}`;
      const end = await way.play(writeScenario({ ...scenario, target: { ...scenario.target, url } }));
      const stats = await settledStats(mock);
      await mock.stop();
      end.way = way;
      end.result = JSON.parse(JSON.stringify(end.result).replaceAll(mock.url, 'http://mock'));
      checkCounts(end, stats);
      return end;
    }),
  );
}

/* ---- the load --------------------------------------------------------------------------------- */

// The programs are those of the whole file.
const endings = [];
let ways;
before(async () => {
  ways = await startWays({ after: (end) => endings.unshift(end) });
});
after(async () => {
  for (const end of endings) {
    await end();
  }
});

// Each call tells its run, its number, and what was drawn for it.
const TELLING = {
  run: '${run_id}',
  n: '${op_seq}',
  stage: '${stage_id}',
  city: '${data:queries.city}',
  drawn: '${random_int:1:1000000000}',
};
// In a closed load also whose it is; an arrival of an open one goes to any user that is idle.
const BY_USER = { vu: '${vu_id}', email: '${data:users.email}' };

function tellingScenario(url, stages, args) {
  const feed = (name, file) => join(rootDir, 'examples/data', file);
  return {
    scenario_id: 'telling',
    target: { url },
    workload: {
      seed: 7,
      think_time: { mode: 'fixed', base_ms: 15 },
      data: [
        { name: 'users', path: feed('users', 'users.csv'), format: 'csv', mode: 'unique' },
        { name: 'queries', path: feed('queries', 'queries.jsonl'), format: 'jsonl', mode: 'sequential' },
      ],
      operation_mix: [{ operation: 'tools_call' }],
      tools: {
        templates: [
          { template_id: 'often', tool_name: 'echo', weight: 3, arguments: { ...args, of: 'often' } },
          { template_id: 'seldom', tool_name: 'echo', weight: 1, arguments: { ...args, of: 'seldom' } },
        ],
      },
    },
    stages,
  };
}

// The calls of a run, as text by user and number, without the run's own id.
function callsOf(recorder, runId) {
  const calls = new Map();
  for (const { arguments: args } of recorder.calls) {
    if (args.run === runId) {
      const key = `${args.vu ?? ''} ${args.n}`;
      assert.ok(!calls.has(key), `${key} came twice`);
      calls.set(key, JSON.stringify({ ...args, run: undefined }));
    }
  }
  return calls;
}

async function playTold(t, stages, args) {
  const recorder = await startRecorder(t);
  const file = writeScenario(tellingScenario(recorder.url, stages, args));
  return Promise.all(
    ways.map(async (way) => {
      const end = await way.play(file);
      assertRan(end);
      return { way, result: end.result, calls: callsOf(recorder, end.result.run_id) };
    }),
  );
}

test('an open load: the same arrivals, each with the same arguments', async (t) => {
  const told = await playTold(t, [
    { stage_id: 'climb', stage: 'ramp', duration_ms: 2000, load: { target_vus: 5, target_rps: 80 }, ramp: { mode: 'linear', start_rps: 20, hold_ms: 500 } },
    { stage_id: 'keep', stage: 'baseline', duration_ms: 1500, load: { target_vus: 5, target_rps: 60 } },
  ], TELLING);
  const sorted = ({ calls }) => [...calls.values()].sort();
  for (const { way, result, calls } of told) {
    assert.equal(result.counts.due, told[0].result.counts.due, way.name);
    assert.equal(result.counts.due, calls.size, `${way.name}: each is sent`);
    assert.deepEqual(sorted({ calls }), sorted(told[0]), way.name);
    assert.equal(result.config_hash, told[0].result.config_hash, way.name);
  }
  // One fleet has a small worker and a large one.
  const unequal = told.find(({ way }) => way.name === '2 workers').result.workers.map(({ load }) => load.started);
  assert.ok(Math.max(...unequal) > 2 * Math.min(...unequal), unequal.join(' and '));
  assert.ok(told[0].calls.size > 200, `${told[0].calls.size} arrivals`);
});

// How far a user comes depends on the target; what it does next does not.
test('a closed load: the same users, each with the same operations', async (t) => {
  const told = await playTold(t, [
    { stage_id: 'climb', stage: 'ramp', duration_ms: 1500, load: { target_vus: 5 }, ramp: { mode: 'linear', start_vus: 0, hold_ms: 300 } },
    { stage_id: 'keep', stage: 'baseline', duration_ms: 1000, load: { target_vus: 5, start_spread_ms: 0 } },
  ], { ...TELLING, ...BY_USER, stage: '' });
  const [{ calls: first }, ...others] = told;
  for (const { way, calls } of others) {
    const both = [...calls.keys()].filter((key) => first.has(key));
    assert.ok(both.length > 0.5 * first.size, `${way.name}: ${both.length} of ${first.size}`);
    for (const key of both) {
      assert.equal(calls.get(key), first.get(key), way.name);
    }
  }
});

/* ---- the figures ------------------------------------------------------------------------------ */

// Nothing here waits: a preflight of the shortest time, and stages of a second or two.
function brief(name, change) {
  const scenario = template(name);
  for (const stage of scenario.stages) {
    stage.duration_ms = stage.stage === 'preflight' ? 1000 : 1500;
  }
  change(scenario);
  return scenario;
}
const PREFLIGHT = { stage: 'preflight', duration_ms: 1000, load: { target_vus: 1 } };

function briefTemplate(name, vus, change = () => {}) {
  const out = shortened(template(name), { url: 'http://localhost:9000', factor: 10, events: 5 });
  out.stages.forEach((stage, i) => {
    stage.load.target_vus = vus[i];
  });
  out.stages.unshift(structuredClone(PREFLIGHT));
  change(out);
  return out;
}

const SCENARIOS = [
  { name: 'sse-heavy-load', closed: true, scenario: briefTemplate('sse-heavy-load', [6, 12]) },
  { name: 'sse-with-churn', closed: true, scenario: briefTemplate('sse-with-churn', [5, 10]) },
  {
    name: 'stream-stall-test',
    closed: true,
    code: 4,
    scenario: briefTemplate('stream-stall-test', [10], (out) => {
      out.target.timeouts.stream_stall_timeout_ms = 1000;
      out.stages[1].duration_ms = 5000;
      out.safety.stop_policy.drain_timeout_ms = 3000;
    }),
  },
  {
    name: 'open-load',
    scenario: brief('open-load', (out) => {
      out.stages.shift(); // it is a closed loop
      out.stages[0].load = { target_vus: 6, target_rps: 80 };
    }),
  },
  {
    name: 'ramp-linear',
    closed: true,
    scenario: brief('ramp-linear', (out) => {
      out.workload.think_time = { mode: 'fixed', base_ms: 30 };
      const [, users, rate] = out.stages;
      Object.assign(users, { load: { target_vus: 8 } });
      Object.assign(rate, { load: { target_vus: 8, target_rps: 80 } });
      users.ramp.hold_ms = rate.ramp.hold_ms = 300;
      rate.ramp.start_rps = 20;
    }),
  },
  {
    name: 'data-feed',
    closed: true,
    scenario: brief('data-feed', (out) => {
      out.stages[1].load.target_vus = 5;
      for (const feed of out.workload.data) {
        feed.path = join(rootDir, 'examples/scenarios', feed.path);
      }
    }),
  },
  {
    name: 'integrity',
    closed: true,
    scenario: brief('integrity', (out) => {
      out.stages[1].load.target_vus = 6;
      out.workload.think_time.base_ms = 50;
    }),
  },
];

for (const { name, closed = false, code = 0, scenario } of SCENARIOS) {
  test(`${name}: as many operations as the mock saw, and alike but for who and when`, async (t) => {
    const ends = await playAll(t, ways, scenario);
    for (const end of ends) {
      assertRan(end, code);
      assert.equal(end.result.counts.due, ends[0].result.counts.due);
    }
    assertAlike(ends, closed);
  });
}
